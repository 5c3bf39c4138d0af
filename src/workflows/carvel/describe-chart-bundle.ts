import { buildChartBundle } from '../../domain/carvel/chart-bundle.ts';
import type { ChartEntry } from '../../domain/chart/chart-tree.ts';
import type { Chart } from '../../domain/chart/chart.ts';
import { isSameLockImage } from '../../domain/lock/images-lock.ts';
import type { LockedImages } from '../locking/lock-images.ts';

/** The files that make a chart a bundle for imgpkg, of a lock that its registries were asked for. */
export function describeChartBundle(
  { metadata }: Chart,
  { lock, sources }: LockedImages,
  annotationsKey: string | undefined,
): readonly ChartEntry[] {
  const images = lock.images.map((lockImage) => {
    const source = sources.find(({ image }) => isSameLockImage(image, lockImage));
    if (source === undefined) throw new TypeError(`the image ${lockImage.image} was not resolved`);
    return { lockImage, rootDigest: source.root.descriptor.digest };
  });
  return buildChartBundle(metadata, images, annotationsKey);
}
