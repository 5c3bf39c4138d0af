import { buffer } from 'node:stream/consumers';
import type { BlobThread } from '../archive/blob-thread.ts';
import { planWrap } from '../archive/wrap-plan.ts';
import { WrapWriter } from '../archive/wrap-writer.ts';
import { copyGraphs, type CopyJob } from '../content/copy-graph.ts';
import { mapConcurrently } from '../content/map-concurrently.ts';
import { countBlobBytes, readGraph } from '../content/read-graph.ts';
import type { ReadableStore } from '../content/store.ts';
import { verifyBlob } from '../content/verified-stream.ts';
import { WrapTarget } from '../content/wrap-target.ts';
import type { Chart } from '../domain/chart/chart.ts';
import type { ChartImage } from '../domain/chart/images-annotation.ts';
import { formatCount } from '../domain/format-quantity.ts';
import { isSameLockImage } from '../domain/lock/images-lock.ts';
import type { Descriptor } from '../domain/oci/descriptor.ts';
import type { Digest } from '../domain/oci/digest.ts';
import { attestedDigest } from '../domain/oci/manifest.ts';
import type { RunContext } from './context.ts';
import type { LockedChart } from './lock-images.ts';
import type { Progress } from './ports.ts';
import { readSourceDateSeconds } from './source-date.ts';
import { buildWrapEntries, isLargeBlob, type ImageToWrap } from './wrap-entries.ts';

/** An image with the repository that its blobs come from. */
export interface GatheredImage {
  readonly image: ImageToWrap;
  readonly store: ReadableStore;
}

export interface WrapToWrite {
  readonly chart: Chart;
  readonly locked: LockedChart;
  /** Empty for a light wrap. */
  readonly images: readonly GatheredImage[];
  readonly discovered: readonly ChartImage[];
  readonly outputFile: string;
  readonly isCompatible: boolean;
  /** Started early, as it takes a moment to come up; closed by the caller. */
  readonly thread?: BlobThread | undefined;
}

/** Reads every manifest that the wrap needs: those of the lock, and the attestations that describe them. */
export async function gatherImages({ lock, sources }: LockedChart, context: RunContext): Promise<GatheredImage[]> {
  return mapConcurrently(sources, context, async (source, signal) => {
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
}

/**
 * Writes the wrap file: everything small first, then the large blobs in parallel. After a failure the finished part
 * stays beside the output as `.partial`, and the next run goes on from there.
 */
export async function writeWrap(wrap: WrapToWrite, context: RunContext, progress: Progress): Promise<void> {
  const { chart, locked, images, outputFile, isCompatible } = wrap;
  progress.setTotalBytes(countBlobBytes(images.map(({ image }) => image.graph)));
  const onBytes = (sizeBytes: number): void => {
    progress.addBytes(sizeBytes);
  };
  const smallBlobs = await readSmallBlobs(images, context, onBytes);
  const { entries, topFolder, sharedLargeBlobs } = buildWrapEntries(
    {
      metadata: chart.metadata,
      tree: chart.tree,
      lockText: locked.lockText,
      images:
        images.length > 0 ? images.map(({ image }) => image) : locked.lock.images.map((lockImage) => ({ lockImage })),
      discovered: wrap.discovered,
    },
    smallBlobs,
    isCompatible,
  );
  if (sharedLargeBlobs.length > 0 && !isCompatible) {
    context.reporter.warn(
      `${formatCount(sharedLargeBlobs.length, 'layer')} shared by several images stored once; the Go dt cannot unwrap this file (--compat stores copies)`,
    );
  }
  const plan = planWrap(entries, topFolder, readSourceDateSeconds(context.environment) ?? 0);
  const writer = await WrapWriter.open(outputFile, plan, context.signal, wrap.thread);
  if (writer.continuedBlobs > 0) {
    context.reporter.info(`Going on with an interrupted wrap: ${formatCount(writer.continuedBlobs, 'blob')} kept`);
  }
  if (writer.replacesPartial) context.reporter.info('An interrupted wrap does not fit this one: starting over');
  try {
    const target = new WrapTarget(writer, outputFile);
    const jobs = images.map(({ image, store }): CopyJob => ({
      source: store,
      target,
      graph: { ...image.graph, blobs: image.graph.blobs.filter(isLargeBlob) },
      tags: [],
    }));
    await copyGraphs(jobs, { concurrency: context.concurrency, signal: context.signal, onBytes });
    await writer.finish();
  } catch (error) {
    const partialPath = await writer.abandon();
    if (partialPath !== undefined) context.reporter.info(`Run the same command again to go on from ${partialPath}`);
    throw error;
  }
}

/** The blobs that go into deflated members: their bytes must be known before anything has its place. */
async function readSmallBlobs(
  images: readonly GatheredImage[],
  context: RunContext,
  onBytes: (sizeBytes: number) => void,
): Promise<Map<Digest, Uint8Array>> {
  const wanted = new Map<Digest, { store: ReadableStore; blob: Descriptor }>();
  for (const { image, store } of images) {
    for (const blob of image.graph.blobs) if (!isLargeBlob(blob)) wanted.set(blob.digest, { store, blob });
  }
  const contents = await mapConcurrently([...wanted.values()], context, async ({ store, blob }, signal) => {
    const bytes = await buffer(verifyBlob(await store.openBlob(blob, { signal }), blob, store.name, onBytes));
    return [blob.digest, bytes] as const;
  });
  return new Map(contents);
}
