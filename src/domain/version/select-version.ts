import type { SemVer } from 'semver';
import { parseSemanticVersion } from './semantic-version.ts';
import { parseVersionRange } from './version-range.ts';

/** The range that stands for "the newest stable version". */
const ANY_STABLE_VERSION = '*';

/**
 * Picks a chart version by Helm's rules: without `wanted` the newest stable one, else the one that is equal as text,
 * else the newest in the range; pre-releases only if the range names one. The versions may be tags, in which `_` stands
 * for `+`; what is no semantic version is passed over. Returns the item as it is in the list, or undefined if none
 * matches. Throws DT_USAGE for a `wanted` that is neither a version nor a range.
 */
export function selectChartVersion(versions: readonly string[], wanted?: string): string | undefined {
  const range = wanted?.trim() ?? '';
  if (range !== '') {
    const exact = versions.find((version) => fromTag(version) === fromTag(range));
    if (exact !== undefined) return exact;
  }
  const isMatch = parseVersionRange(range === '' ? ANY_STABLE_VERSION : range);
  const newest = versions
    .map((text) => ({ text, version: parseSemanticVersion(fromTag(text)) }))
    .filter((item): item is { text: string; version: SemVer } => item.version !== undefined && isMatch(item.version))
    .reduce<{ text: string; version: SemVer } | undefined>(
      (best, item) => (best === undefined || compareVersions(item.version, best.version) > 0 ? item : best),
      undefined,
    );
  return newest?.text;
}

function compareVersions(left: SemVer, right: SemVer): number {
  return left.compare(right) || left.compareBuild(right);
}

/** `+` is not allowed in a tag, so Helm writes `_`. A semantic version itself never has an underscore. */
function fromTag(tag: string): string {
  return tag.replaceAll('_', '+');
}
