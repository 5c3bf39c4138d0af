import { copyGraphs, findTag } from '../content/copy-graph.ts';
import type { CopyJob, CopySummary } from '../content/copy-job.ts';
import { countBlobBytes } from '../content/read-graph.ts';
import { DtError, type ImageFailure } from '../domain/errors.ts';
import { formatBytes, formatCount, formatDuration } from '../domain/format-quantity.ts';
import { formatReference } from '../domain/oci/reference.ts';
import { tagIdentifier, type TagCheck } from './check-tags.ts';
import { listFailures, toOutcome, tryAll, type Outcome } from './collect-failures.ts';
import type { RunContext } from './context.ts';
import { acceptedDigests, type ImagePush } from './plan-image-pushes.ts';
import { openRepository } from './registry-stores.ts';
import { runStep } from './run-step.ts';

/** An image with what the target said about its tag. */
export interface CheckedPush {
  readonly push: ImagePush;
  readonly check: Outcome<TagCheck>;
}

export interface PushSummary {
  /** Images whose tag was there with the right digest. */
  readonly presentImages: number;
  readonly pushedImages: number;
  readonly sentBytes: number;
  readonly blobs: CopySummary['blobs'];
}

export interface PushedImages {
  readonly summary: PushSummary;
  /** Images that are not in the target; all others are, verified. */
  readonly failures: readonly ImageFailure[];
}

const NOTHING_PUSHED: PushSummary = {
  presentImages: 0,
  pushedImages: 0,
  sentBytes: 0,
  blobs: { present: 0, mounted: 0, written: 0 },
};

/** Pushes the images that are not there yet and reads every tag back. One that fails does not stop the others. */
export async function pushImages(checked: readonly CheckedPush[], context: RunContext): Promise<PushedImages> {
  if (checked.length === 0) return { summary: NOTHING_PUSHED, failures: [] };
  const { reporter } = context;
  const startedAt = performance.now();
  const { summary, copied } = await runStep(
    reporter,
    'Pushing images',
    async (progress) => {
      const missing = checked.filter(isMissing).map(({ push }) => push);
      progress.setTotalBytes(countBlobBytes(missing.map(({ graph }) => graph)));
      return copyImages(checked, missing, context, (sizeBytes) => {
        progress.addBytes(sizeBytes);
      });
    },
    {
      findFailure: ({ copied }) => findTotalFailure(copied),
      done: ({ summary }) => describeSummary(summary, checked.length, performance.now() - startedAt),
    },
  );
  const pushes = checked.filter((_, index) => 'result' in (copied[index] ?? {})).map(({ push }) => push);
  const verified = pushes.length === 0 ? [] : await verifyImages(pushes, context);
  const failures = [
    ...listFailures(checked, copied, ({ push }) => push.image.image),
    ...listFailures(pushes, verified, ({ image }) => image.image),
  ];
  return { summary, failures };
}

async function verifyImages(pushes: readonly ImagePush[], context: RunContext): Promise<Outcome<unknown>[]> {
  return runStep(
    context.reporter,
    'Verifying images',
    async () => tryAll(pushes, context, async (push, signal) => verifyTarget(push, context, signal)),
    {
      findFailure: findTotalFailure,
      done: (outcomes) => `${formatCount(countSuccesses(outcomes), 'image')} verified in the target`,
    },
  );
}

/** The outcomes are those of `checked`: an image of which not even the tag could be asked for has failed already. */
async function copyImages(
  checked: readonly CheckedPush[],
  missing: readonly ImagePush[],
  context: RunContext,
  onBytes: (sizeBytes: number) => void,
): Promise<{ summary: PushSummary; copied: Outcome<unknown>[] }> {
  const jobs = new Map(missing.map((push) => [push, toJob(push, context)]));
  const { concurrency, signal } = context;
  const { failures, blobs, sentBytes } = await copyGraphs([...jobs.values()], { concurrency, signal, onBytes });
  const copied = checked.map(({ push, check }): Outcome<unknown> => {
    const job = jobs.get(push);
    return job === undefined ? check : toOutcome(failures.get(job));
  });
  const presentImages = countSuccesses(checked.map(({ check }) => check)) - missing.length;
  const pushedImages = missing.length - failures.size;
  return { summary: { presentImages, pushedImages, sentBytes, blobs }, copied };
}

/** True for an image that has to be pushed and can be, as far as its tag tells. */
export function isMissing({ check }: CheckedPush): boolean {
  return 'result' in check && check.result.state !== 'same';
}

function toJob({ source, graph, fallbackRoot, target }: ImagePush, context: RunContext): CopyJob {
  const tags = target.tag === undefined ? [] : [target.tag];
  return { source, target: openRepository(context, target, 'push'), graph, fallbackRoot, tags };
}

/** Content is addressed by its digest: a tag that has the right one has everything below it. Throws DT_LOCK_MISMATCH. */
async function verifyTarget(push: ImagePush, context: RunContext, signal: AbortSignal): Promise<void> {
  const { graph, target } = push;
  const digest = await findTag(openRepository(context, target, 'push'), tagIdentifier(target), signal);
  if (digest === undefined || !acceptedDigests(push).has(digest)) {
    throw new DtError(
      'DT_LOCK_MISMATCH',
      `${formatReference(target)} is ${digest ?? 'missing'} after the push instead of ${graph.root.descriptor.digest}`,
      { side: 'destination' },
    );
  }
  if (digest !== graph.root.descriptor.digest) {
    context.reporter.warn(
      `${formatReference(target)} is the index ${digest}: the registry refused the original ${graph.root.descriptor.digest} without all its platforms; its signatures do not apply`,
    );
  }
}

/** An error if there is nothing else. */
function findTotalFailure(outcomes: readonly Outcome<unknown>[]): DtError | undefined {
  const errors = outcomes.flatMap((outcome) => ('error' in outcome ? [outcome.error] : []));
  return errors.length === outcomes.length ? errors[0] : undefined;
}

function countSuccesses(outcomes: readonly Outcome<unknown>[]): number {
  return outcomes.filter((outcome) => 'result' in outcome).length;
}

function describeSummary(
  { presentImages, pushedImages, sentBytes }: PushSummary,
  totalCount: number,
  durationMs: number,
): string {
  const doneCount = presentImages + pushedImages;
  const failed = doneCount === totalCount ? '' : `${String(doneCount)} of `;
  const there = presentImages === 0 ? '' : ` (${String(presentImages)} already there)`;
  return `${failed}${formatCount(totalCount, 'image')}, ${formatBytes(sentBytes)} sent in ${formatDuration(durationMs)}${there}`;
}
