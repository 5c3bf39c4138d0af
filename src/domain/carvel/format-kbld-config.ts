import type { SearchRule, UpdateStrategy } from '../manifests/search-rule.ts';
import { formatCarvelBody, PlainScalar, type CarvelMap } from './format-carvel-yaml.ts';
import { KBLD_API_VERSION, KBLD_CONFIG_KIND } from './parse-kbld-config.ts';

/** An image that a lock makes final. */
export interface LockedImage {
  /** As manifests name it. */
  readonly image: string;
  readonly newImage: string;
}

/**
 * The text of a lock of kbld: a Config that makes the images final and finds them by the same rules. No version of kbld is asked for,
 * so that each can read it.
 */
export function formatKbldLock(images: readonly LockedImage[], searchRules: readonly SearchRule[]): string {
  return formatCarvelBody({
    apiVersion: KBLD_API_VERSION,
    kind: KBLD_CONFIG_KIND,
    overrides: images.length === 0 ? undefined : images.map((image) => ({ ...image, preresolved: true })),
    searchRules: searchRules.length === 0 ? undefined : searchRules.map(describeRule),
  });
}

function describeRule({ key, value, update }: SearchRule): CarvelMap {
  return {
    keyMatcher: key === undefined || 'name' in key ? key : { path: key.path.map(describePart) },
    valueMatcher: value === undefined ? undefined : { ...value },
    updateStrategy: update.kind === 'entireValue' ? undefined : { [update.kind]: describeUpdate(update) },
  };
}

function describePart(part: string | number | { readonly allIndexes: true }): string | CarvelMap {
  if (typeof part === 'number') return { index: new PlainScalar(String(part)) };
  return typeof part === 'string' ? part : { allIndexes: true };
}

function describeUpdate(update: UpdateStrategy): CarvelMap {
  return 'searchRules' in update && update.searchRules.length > 0
    ? { searchRules: update.searchRules.map(describeRule) }
    : {};
}
