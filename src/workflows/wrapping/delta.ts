import type { BaseContent } from '../../domain/wrap/base-content.ts';
import type { BasePlaces, WrapBase } from '../../domain/wrap/wrap-base.ts';
import type { Descriptor } from '../../domain/oci/descriptor.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import type { GatheredContent, GatheredImage } from './gather-images.ts';
import { isLargeBlob } from './layout-writer.ts';

/** What a wrap leaves out, because its bases have it. */
export interface Delta {
  readonly bases: readonly WrapBase[];
  readonly omitted: ReadonlyMap<Digest, BasePlaces>;
  readonly omittedBytes: number;
}

/**
 * Finds the large blobs of images that the bases have. What belongs to signatures and the like, also those of `charts`, stays: they can
 * be verified without a base.
 */
export function planDelta(
  images: readonly GatheredImage[],
  charts: readonly GatheredContent[],
  base: BaseContent,
): Delta {
  const kept = [
    ...images.flatMap(({ attached }) => attached.map(({ graph }) => graph)),
    ...charts.flatMap(({ graphs }) => graphs),
  ];
  const keptDigests = new Set(kept.flatMap(({ blobs }) => blobs.map(({ digest }) => digest)));
  const omitted = new Map<Digest, BasePlaces>();
  let omittedBytes = 0;
  for (const blob of images.flatMap(({ graph }) => graph.blobs)) {
    if (!isLargeBlob(blob) || keptDigests.has(blob.digest) || omitted.has(blob.digest)) continue;
    const places = base.find(blob);
    if (places === undefined) continue;
    omitted.set(blob.digest, places);
    omittedBytes += blob.size;
  }
  return { bases: base.bases, omitted, omittedBytes };
}

/** The contents without what the delta leaves out: nobody is asked for that. */
export function withoutOmitted(contents: readonly GatheredContent[], { omitted }: Delta): GatheredContent[] {
  const isWanted = ({ digest }: Descriptor): boolean => !omitted.has(digest);
  return contents.map(({ graphs: [first, ...others], ...content }) => ({
    ...content,
    graphs: [
      { ...first, blobs: first.blobs.filter(isWanted) },
      ...others.map((graph) => ({ ...graph, blobs: graph.blobs.filter(isWanted) })),
    ],
  }));
}
