import { CARVEL_API_VERSION } from './carvel-lock.ts';
import { formatCarvelYaml } from './format-carvel-yaml.ts';
import { formatPinnedReference, type PinnedReference } from './pinned-reference.ts';

export const BUNDLE_LOCK_KIND = 'BundleLock';
/** imgpkg keeps its locks to their owner. */
export const CARVEL_LOCK_MODE = 0o600;

/** Where a bundle is, with the tag that it had. */
export interface BundleLock {
  readonly reference: PinnedReference;
  readonly tag?: string;
}

/** The text of a BundleLock. */
export function formatBundleLock({ reference, tag }: BundleLock): string {
  return formatCarvelYaml({
    apiVersion: CARVEL_API_VERSION,
    bundle: { image: formatPinnedReference(reference), tag },
    kind: BUNDLE_LOCK_KIND,
  });
}
