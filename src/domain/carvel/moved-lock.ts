import { formatCarvelLock } from './carvel-lock.ts';
import type { LockedCarvelImage } from './parse-carvel-lock.ts';
import { formatPinnedReference } from './pinned-reference.ts';

/** The text of an ImagesLock of which the images have moved: order and annotations stay. */
export function formatMovedLock(images: readonly LockedCarvelImage[]): string {
  return formatCarvelLock(
    images.map(({ reference, annotations }) => ({ image: formatPinnedReference(reference), annotations })),
  );
}
