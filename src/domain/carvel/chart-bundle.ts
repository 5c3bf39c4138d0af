import { IMAGE_ANNOTATION_KEYS } from '../chart/images-annotation.ts';
import type { ChartMetadata } from '../chart/chart-metadata.ts';
import type { ChartEntry } from '../chart/chart-tree.ts';
import type { LockImage } from '../lock/images-lock.ts';
import type { Digest } from '../oci/digest.ts';
import { BUNDLE_METADATA_PATH, formatBundleMetadata } from './bundle-metadata.ts';
import { CARVEL_LOCK_PATH, formatCarvelLock, toCarvelImage } from './carvel-lock.ts';

/** imgpkg keeps its locks to their owner. */
const LOCK_MODE = 0o600;
const METADATA_MODE = 0o644;

/** An image of the lock of a chart, with the digest of what its reference points to: of the index, where it is one. */
export interface BundledImage {
  readonly lockImage: LockImage;
  readonly rootDigest: Digest;
}

/** The two files that make the folder of a chart a bundle that imgpkg can push. */
export const CHART_BUNDLE_PATHS: readonly string[] = [CARVEL_LOCK_PATH, BUNDLE_METADATA_PATH];

/**
 * Makes these files for a chart. `annotationsKey` is the annotation that lists its images, by default any of the known ones.
 * Throws DT_BAD_REFERENCE.
 */
export function buildChartBundle(
  metadata: ChartMetadata,
  images: readonly BundledImage[],
  annotationsKey?: string,
): readonly ChartEntry[] {
  const lock = formatCarvelLock(images.map((image) => toCarvelImage(image.lockImage.image, chooseDigest(image))));
  const description = formatBundleMetadata(
    metadata,
    annotationsKey === undefined ? IMAGE_ANNOTATION_KEYS : [...IMAGE_ANNOTATION_KEYS, annotationsKey],
  );
  return [
    { path: CARVEL_LOCK_PATH, type: 'file', mode: LOCK_MODE, bytes: new TextEncoder().encode(lock) },
    { path: BUNDLE_METADATA_PATH, type: 'file', mode: METADATA_MODE, bytes: new TextEncoder().encode(description) },
  ];
}

/** With the index imgpkg copies every platform; it cannot copy one of which only a single platform was kept. */
function chooseDigest({ lockImage: { digests, indexDigest }, rootDigest }: BundledImage): Digest {
  const [only, ...others] = digests;
  return indexDigest !== undefined && only !== undefined && others.length === 0 ? only.digest : rootDigest;
}
