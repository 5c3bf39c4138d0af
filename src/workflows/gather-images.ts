import { readGraph } from '../content/read-graph.ts';
import type { ReadableStore } from '../content/store.ts';
import { isSameLockImage } from '../domain/lock/images-lock.ts';
import type { Digest } from '../domain/oci/digest.ts';
import { attestedDigest } from '../domain/oci/manifest.ts';
import { combineFailures, listFailures, tryAll } from './collect-failures.ts';
import type { RunContext } from './context.ts';
import type { LockedChart } from './lock-images.ts';
import type { ImageToWrap } from './wrap-entries.ts';

/** An image with the repository that its blobs come from. */
export interface GatheredImage {
  readonly image: ImageToWrap;
  readonly store: ReadableStore;
}

/**
 * Reads every manifest that the wrap needs: those of the lock, and the attestations that describe them. All images are
 * tried: one error names all that failed.
 */
export async function gatherImages({ lock, sources }: LockedChart, context: RunContext): Promise<GatheredImage[]> {
  const outcomes = await tryAll(sources, context, async (source, signal) => {
    const lockImage = lock.images.find((candidate) => isSameLockImage(candidate, source.image));
    if (lockImage === undefined) throw new TypeError(`${source.image.image} is not in the lock`);
    const kept = new Set<Digest>(lockImage.digests.map(({ digest }) => digest));
    let isFiltered = false;
    const graph = await readGraph(source.store, source.root, {
      concurrency: context.concurrency,
      signal,
      selectChild: (child) => {
        const isKept = kept.has(attestedDigest(child) ?? child.digest);
        isFiltered ||= !isKept;
        return isKept;
      },
    });
    return { image: { lockImage, graph, isFiltered }, store: source.store };
  });
  const failures = listFailures(sources, outcomes, ({ image }) => image.image);
  if (failures.length > 0) throw combineFailures(failures, { totalCount: sources.length, verb: 'pulled' });
  return outcomes.flatMap((outcome) => ('result' in outcome ? [outcome.result] : []));
}

/** What messages call the image. */
export function imageName({ image }: GatheredImage): string {
  return image.lockImage.image;
}
