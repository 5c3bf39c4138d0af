import { isDtError } from '../errors.ts';
import { parseSemanticVersion } from './semantic-version.ts';
import { parseVersionRange } from './version-range.ts';

/** Minor versions of Kubernetes 1 that are tried: all that a chart in use may ask for. */
const OLDEST_MINOR = 10;
const NEWEST_MINOR = 50;

/**
 * The version of Kubernetes that satisfies all the ranges and is next to `current`, newer ones first; undefined if there is
 * none.
 */
export function findFittingKubeVersion(ranges: readonly string[], current: string): string | undefined {
  const currentMinor = parseSemanticVersion(current)?.minor ?? OLDEST_MINOR;
  const minors = Array.from({ length: NEWEST_MINOR - OLDEST_MINOR + 1 }, (_, index) => OLDEST_MINOR + index);
  const isNewer = (minor: number): boolean => minor >= currentMinor;
  const ordered = [...minors.filter(isNewer), ...minors.filter((minor) => !isNewer(minor)).reverse()];
  try {
    const matches = ranges.map(parseVersionRange);
    const minor = ordered.find((candidate) => {
      const version = parseSemanticVersion(`1.${String(candidate)}.0`);
      return version !== undefined && matches.every((isMatch) => isMatch(version));
    });
    return minor === undefined ? undefined : `1.${String(minor)}.0`;
  } catch (error) {
    if (isDtError(error, 'DT_USAGE')) return undefined;
    throw error;
  }
}
