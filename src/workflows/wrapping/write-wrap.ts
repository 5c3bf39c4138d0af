import type { Writable } from 'node:stream';
import type { BlobThread } from '../../archive/blob-thread.ts';
import { readPartialEntries } from '../../archive/partial-wrap.ts';
import { planWrap } from '../../archive/wrap-plan.ts';
import type { SegmentedFile } from '../../archive/segmented-file.ts';
import { WrapWriter, type WrittenWrap } from '../../archive/wrap-writer.ts';
import { copyGraphs } from '../../content/copy-graph.ts';
import type { BlobListener, CopyJob } from '../../content/copy-job.ts';
import { WrapTarget } from '../../content/wrap-target.ts';
import type { ImageFailure } from '../../domain/errors.ts';
import { formatCount } from '../../domain/format-quantity.ts';
import { combineFailures, listFailures, toOutcome } from '../collect-failures.ts';
import type { RunContext } from '../context.ts';
import type { Delta } from './delta.ts';
import { explainArtifact } from './explain-artifact.ts';
import type { GatheredContent } from './gather-images.ts';
import { isLargeBlob } from './layout-writer.ts';
import type { Progress } from '../ports.ts';
import { requireFreeSpace } from '../preflight.ts';
import { readSmallBlobs } from './read-small-blobs.ts';
import { requireReadable } from './require-readable.ts';
import { readSourceDateSeconds } from '../source-date.ts';
import { trackImages } from '../track-images.ts';
import { streamWrap } from './stream-wrap.ts';
import { buildWrapEntries } from './wrap-entries.ts';
import type { WrapFolder } from './wrap-folder.ts';

export interface WrapToWrite {
  readonly folders: readonly [WrapFolder, ...WrapFolder[]];
  /** What all folders need from registries; empty for a light wrap. */
  readonly contents: readonly GatheredContent[];
  readonly outputFile: string;
  readonly isCompatible: boolean;
  /** What is left out, and so is not among the contents. */
  readonly delta?: Delta | undefined;
  /** Cut the file into parts of at most so many bytes. */
  readonly partBytes?: number | undefined;
  /** Where the wrap goes instead of into a file. */
  readonly stream?: Writable | undefined;
  /** Do not look at the free space first. */
  readonly skipPreflight: boolean;
  /** Gets the complete file before it has its final name; when it fails, the next run goes on from there. */
  readonly beforeRename?: ((file: SegmentedFile) => Promise<void>) | undefined;
  /** Started early, as it takes a moment to come up; closed by the caller. */
  readonly thread?: BlobThread | undefined;
}

/**
 * Writes the wrap file: everything small first, then the large blobs in parallel. An image that fails does not stop the
 * others: one error names all that failed. After a failure the finished part stays beside the output as `.partial`, and the
 * next run goes on from there. Throws DT_DISK_FULL and DT_LIMIT_EXCEEDED before the large blobs are asked for if they do not fit,
 * on the disk or into the format.
 */
export async function writeWrap(wrap: WrapToWrite, context: RunContext, progress: Progress): Promise<WrittenWrap> {
  const { folders, contents, outputFile, isCompatible, delta, partBytes, thread, stream } = wrap;
  requireReadable(folders, contents);
  const onBytes = trackImages(progress, contents);
  const kept = stream === undefined ? await readPartialEntries(outputFile) : [];
  const smallBlobs = await readSmallBlobs(contents, kept, context, onBytes);
  const { entries, topFolder, sharedLargeBlobs } = buildWrapEntries(folders, {
    smallBlobs,
    isCompatible,
    omitted: delta?.omitted,
    bases: delta?.bases,
  });
  if (sharedLargeBlobs.length > 0 && !isCompatible && folders.length === 1) {
    context.reporter.warn(
      `${formatCount(sharedLargeBlobs.length, 'layer')} that several platforms or images share stored once; the Go dt cannot unwrap this file (--compat stores copies)`,
    );
  }
  const plan = planWrap(entries, topFolder, readSourceDateSeconds(context.environment) ?? 0);
  if (stream !== undefined) return streamWrap({ plan, contents, stream }, context, onBytes);
  if (!wrap.skipPreflight) await requireFreeSpace(outputFile, plan.totalBytes);
  const writer = await WrapWriter.open(outputFile, plan, { signal: context.signal, thread, partBytes });
  if (writer.continuedBlobs > 0) {
    context.reporter.info(`Going on with an interrupted wrap: ${formatCount(writer.continuedBlobs, 'blob')} kept`);
  }
  if (writer.replacesPartial) context.reporter.info('An interrupted wrap does not fit this one: starting over');
  let failures: readonly ImageFailure[];
  try {
    failures = await copyLargeBlobs(contents, new WrapTarget(writer, outputFile), context, onBytes);
    if (failures.length === 0) {
      const written = await writer.finish(wrap.beforeRename);
      for (const path of written.removed) context.reporter.info(`Removed, as it was of a former wrap: ${path}`);
      return written;
    }
  } catch (error) {
    const partialPath = await writer.abandon();
    if (partialPath !== undefined) context.reporter.info(`Run the same command again to go on from ${partialPath}`);
    throw error;
  }
  const partialPath = await writer.abandon();
  throw combineFailures(failures, {
    totalCount: contents.length,
    verb: 'pulled',
    ...(partialPath === undefined
      ? {}
      : { detail: `What has come is kept in ${partialPath}, and the same command goes on from there.` }),
  });
}

async function copyLargeBlobs(
  contents: readonly GatheredContent[],
  target: WrapTarget,
  context: RunContext,
  onBytes: BlobListener,
): Promise<ImageFailure[]> {
  const parts = contents.flatMap((content) => content.graphs.map((graph) => ({ content, graph })));
  const jobs = parts.map(({ content: { store }, graph }): CopyJob => {
    return { source: store, target, graph: { ...graph, blobs: graph.blobs.filter(isLargeBlob) }, tags: [] };
  });
  const { concurrency, signal } = context;
  const { failures } = await copyGraphs(jobs, { concurrency, signal, onBytes });
  const outcomes = parts.map(({ content, graph }, index) => {
    const error = failures.get(jobs[index] as CopyJob);
    return toOutcome(error && explainArtifact(error, content, graph));
  });
  return listFailures(parts, outcomes, ({ content }) => content.name);
}
