import { copyGraphs } from '../../content/copy-graph.ts';
import type { BlobListener, CopyJob, CopySummary } from '../../content/copy-job.ts';
import { copyError } from '../../domain/error-rules.ts';
import { DtError, type ImageFailure } from '../../domain/errors.ts';
import { formatBytes, formatCount, formatDuration } from '../../domain/format-quantity.ts';
import { matchesDigest, type Digest } from '../../domain/oci/digest.ts';
import { formatReference } from '../../domain/oci/reference.ts';
import { findPushed } from './check-tags.ts';
import { isMissing, type CheckedPush } from './check-target.ts';
import { findTotalFailure, listFailures, toOutcome, tryAll, type Outcome } from '../collect-failures.ts';
import type { RunContext } from '../context.ts';
import { acceptedDigests, type ImagePush } from './plan-image-pushes.ts';
import type { AttachedPush } from './push-attached.ts';
import { openRepository } from '../registry-stores.ts';
import { runStep } from '../run-step.ts';
import { trackImages } from '../track-images.ts';

export interface PushSummary {
  /** Images whose tag was there with the right digest. */
  readonly presentImages: number;
  readonly pushedImages: number;
  /** Images that have the digest of their source. */
  readonly identicalImages: number;
  readonly sentBytes: number;
  readonly blobs: CopySummary['blobs'];
}

/** An image that is in the target, with the digest that it has there. */
export interface PushedImage {
  readonly push: ImagePush;
  readonly digest: Digest;
}

export interface PushedImages {
  readonly summary: PushSummary;
  /** Verified in the target. */
  readonly pushed: readonly PushedImage[];
  /** Images that are not in the target. */
  readonly failures: readonly ImageFailure[];
}

const NOTHING_PUSHED: PushSummary = {
  presentImages: 0,
  pushedImages: 0,
  identicalImages: 0,
  sentBytes: 0,
  blobs: { present: 0, mounted: 0, written: 0 },
};

/**
 * Pushes the images that are not there yet and reads every tag back. One that fails does not stop the others. Of `companions` the
 * blobs are pushed along.
 */
export async function pushImages(
  checked: readonly CheckedPush[],
  context: RunContext,
  companions: readonly AttachedPush[] = [],
): Promise<PushedImages> {
  if (checked.length === 0 && companions.length === 0) return { summary: NOTHING_PUSHED, pushed: [], failures: [] };
  const { reporter } = context;
  const startedAt = performance.now();
  const { summary, copied } = await runStep(
    reporter,
    'Pushing images',
    async (progress) => {
      const missing = checked.filter(isMissing).map(({ push }) => push);
      const onBytes = trackImages(
        progress,
        missing.map(({ image, graph }) => ({ name: image.image, graphs: [graph] })),
      );
      return copyImages(checked, { missing, companions }, context, onBytes);
    },
    {
      findFailure: ({ copied }) => findTotalFailure(copied),
      done: ({ summary }) => describeSummary(summary, checked.length, performance.now() - startedAt),
    },
  );
  const pushes = checked.filter((_, index) => 'result' in (copied[index] ?? {})).map(({ push }) => push);
  const verified = pushes.length === 0 ? [] : await verifyImages(pushes, context);
  const pushed = verified.flatMap((outcome) => ('result' in outcome ? [outcome.result] : []));
  for (const image of pushed) warnOfReplacedIndex(image, context);
  const failures = [
    ...listFailures(checked, copied, ({ push }) => push.image.image),
    ...listFailures(pushes, verified, ({ image }) => image.image),
  ];
  return { summary: { ...summary, identicalImages: countIdentical(pushed) }, pushed, failures };
}

async function verifyImages(pushes: readonly ImagePush[], context: RunContext): Promise<Outcome<PushedImage>[]> {
  return runStep(
    context.reporter,
    'Verifying images',
    async () => tryAll(pushes, context, async (push, signal) => verifyTarget(push, context, signal)),
    { findFailure: findTotalFailure, done: describeVerified },
  );
}

/** The outcomes are those of `checked`: an image of which not even the tag could be asked for has failed already. */
async function copyImages(
  checked: readonly CheckedPush[],
  { missing, companions }: { readonly missing: readonly ImagePush[]; readonly companions: readonly AttachedPush[] },
  context: RunContext,
  onBytes: BlobListener,
): Promise<{ summary: Omit<PushSummary, 'identicalImages'>; copied: Outcome<unknown>[] }> {
  const jobs = new Map(missing.map((push) => [push, toJob(push, context)]));
  const { concurrency, signal } = context;
  const { failures, blobs, sentBytes } = await copyGraphs([...jobs.values()], {
    concurrency,
    signal,
    onBytes,
    companions: companions.flatMap((companion) => toJobs(companion, context)),
  });
  const copied = checked.map(({ push, tag }): Outcome<unknown> => {
    const job = jobs.get(push);
    return job === undefined ? tag.check : toOutcome(explainRefusal(push, failures.get(job)));
  });
  const presentImages = countSuccesses(checked.map(({ tag }) => tag.check)) - missing.length;
  const pushedImages = missing.length - failures.size;
  return { summary: { presentImages, pushedImages, sentBytes, blobs }, copied };
}

/** A registry says only that something is missing. */
function explainRefusal({ isSparse = false, graph }: ImagePush, error: DtError | undefined): DtError | undefined {
  if (!isSparse || error?.isRefusal !== true) return error;
  return copyError(error, {
    message: `${error.message}: it may not take the index ${graph.root.descriptor.digest} without the platforms that the wrap leaves out`,
    hints: ['{bin} unwrap … --index auto to push an index of the platforms that there are'],
  });
}

function toJob({ source, graph, fallback, target, elsewhere }: ImagePush, context: RunContext): CopyJob {
  const tags = target.tag === undefined ? [] : [target.tag];
  return { source, target: openRepository(context, target, 'push'), graph, fallback, elsewhere, tags };
}

function toJobs({ source, target, attached }: AttachedPush, context: RunContext): CopyJob[] {
  const store = openRepository(context, target, 'push');
  return attached.map(({ graph }) => ({ source, target: store, graph, tags: [] }));
}

/** Content is addressed by its digest: a tag that has the right one has everything below it. Throws DT_LOCK_MISMATCH. */
async function verifyTarget(push: ImagePush, context: RunContext, signal: AbortSignal): Promise<PushedImage> {
  const { graph, target } = push;
  const digests = acceptedDigests(push);
  const digest = await findPushed({ reference: target, digests }, context, signal);
  if (digest !== undefined && digests.has(digest)) {
    const { bytes, descriptor } = graph.root;
    return { push, digest: matchesDigest(bytes, digest) ? descriptor.digest : digest };
  }
  throw new DtError(
    'DT_LOCK_MISMATCH',
    `${formatReference(target)} is ${digest ?? 'missing'} after the push instead of ${graph.root.descriptor.digest}`,
    { side: 'destination' },
  );
}

function warnOfReplacedIndex({ push: { target, sourceDigest }, digest }: PushedImage, { reporter }: RunContext): void {
  if (sourceDigest === undefined || sourceDigest === digest) return;
  reporter.warn(
    `${formatReference(target)} is the index ${digest} of the wrapped platforms, not the original ${sourceDigest}: its signatures do not apply`,
  );
}

function countSuccesses(outcomes: readonly Outcome<unknown>[]): number {
  return outcomes.filter((outcome) => 'result' in outcome).length;
}

function countIdentical(pushed: readonly PushedImage[]): number {
  return pushed.filter(({ push, digest }) => digest === push.sourceDigest).length;
}

function describeVerified(outcomes: readonly Outcome<PushedImage>[]): string {
  const pushed = outcomes.flatMap((outcome) => ('result' in outcome ? [outcome.result] : []));
  const identical = `${formatCount(countIdentical(pushed), 'digest')} identical`;
  return `${formatCount(pushed.length, 'image')}, ${identical} in the target`;
}

function describeSummary(
  { presentImages, pushedImages, sentBytes }: Omit<PushSummary, 'identicalImages'>,
  totalCount: number,
  durationMs: number,
): string {
  const doneCount = presentImages + pushedImages;
  const failed = doneCount === totalCount ? '' : `${String(doneCount)} of `;
  const there = presentImages === 0 ? '' : ` (${String(presentImages)} already there)`;
  return `${failed}${formatCount(totalCount, 'image')}, ${formatBytes(sentBytes)} sent in ${formatDuration(durationMs)}${there}`;
}
