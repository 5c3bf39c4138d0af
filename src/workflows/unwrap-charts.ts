import { mapConcurrently } from '../content/map-concurrently.ts';
import type { ReplacedIndexes } from '../domain/relocation/replaced-indexes.ts';
import { findPushed, isThere } from './unwrapping/check-tags.ts';
import { acceptedDigests } from './unwrapping/plan-image-pushes.ts';
import { isMissing, type CheckedChart, type CheckedPush, type CheckedUnwrap } from './unwrapping/check-target.ts';
import { combineFailures } from './collect-failures.ts';
import type { RunContext } from './context.ts';
import { finishReading } from './opening/opened-wrap.ts';
import { requirePushPermission } from './preflight.ts';
import { prepareUnwrap, type PreparedUnwrap, type UnwrapSource } from './unwrapping/prepare-unwrap.ts';
import { listCompanions } from './unwrapping/list-companions.ts';
import { pushAttached } from './unwrapping/push-attached.ts';
import {
  describeChart,
  pushPreparedChart,
  requireValuesPlace,
  type UnwrappedChart,
} from './unwrapping/push-prepared-chart.ts';
import { runUnwrap, type RunUnwrapOptions } from './unwrapping/run-unwrap.ts';
import { pushImages, type PushedImage, type PushSummary } from './unwrapping/push-images.ts';
import { describePush, toAttachedPush, type UnwrappedImage } from './unwrapping/unwrapped-image.ts';

export interface UnwrapChartsOptions extends UnwrapSource, RunUnwrapOptions {
  /** Do not check beforehand whether the registry lets us push. */
  readonly skipPreflight?: boolean;
}

export interface UnwrapChartsResult {
  /** False if the answer was no: then nothing was pushed. */
  readonly pushed: boolean;
  readonly charts: readonly UnwrappedChart[];
  readonly images: readonly UnwrappedImage[];
  /** Present if pushed. */
  readonly summary?: PushSummary;
}

/**
 * Pushes the images and the charts of a wrap. Everything that can be checked is checked before the first byte is sent. An
 * image that fails does not stop the others; the charts go last, after every tag was read back from the target, and only if
 * nothing failed. Throws DT_BAD_PREFIX, DT_RELOCATION_COLLISION, DT_TAG_EXISTS, the codes of damaged wraps, and the registry
 * errors; one error names all images that failed.
 */
export async function unwrapCharts(options: UnwrapChartsOptions, context: RunContext): Promise<UnwrapChartsResult> {
  return runUnwrap(
    {
      prepare: async () => prepareUnwrap(options, context),
      decline: describePrepared,
      push: async (prepared, checked) => push(prepared, checked, options, context),
    },
    options,
    context,
  );
}

async function push(
  prepared: PreparedUnwrap,
  checked: CheckedUnwrap,
  options: UnwrapChartsOptions,
  context: RunContext,
): Promise<UnwrapChartsResult> {
  for (const chart of checked.charts) await requireValuesPlace(chart.prepared, options.file);
  if (options.skipPreflight !== true) await requirePermissions(checked, context);
  const { wrap } = prepared;
  const { summary, pushed, failures } = await pushImages(checked.images, context, listCompanions(checked, wrap));
  await finishReading(wrap);
  const replaced = findReplaced([...pushed, ...(await findSkipped(prepared, context))]);
  const attachedFailures = await pushAttached(pushed.map(toAttachedPush), options, context);
  const chartFailures = checked.charts.flatMap(({ tag: { image, check } }) =>
    'error' in check ? [{ image, error: check.error }] : [],
  );
  const allFailures = [...failures, ...attachedFailures, ...chartFailures];
  if (allFailures.length > 0) {
    const detail = `The ${checked.charts.length === 1 ? 'chart was' : 'charts were'} not pushed.`;
    const totalCount = checked.images.length + chartFailures.length;
    throw combineFailures(allFailures, { totalCount, verb: 'pushed', detail });
  }
  const charts: UnwrappedChart[] = [];
  for (const chart of checked.charts) {
    const { file, noOverwrite } = options;
    charts.push(await pushPreparedChart(chart, { replaced, source: prepared.wrap.store, file, noOverwrite }, context));
  }
  return { pushed: true, charts, images: pushed.map(({ push, digest }) => describePush(push, digest)), summary };
}

async function requirePermissions({ images, charts }: CheckedUnwrap, context: RunContext): Promise<void> {
  const missing: readonly (CheckedPush | CheckedChart)[] = [
    ...images.filter((image) => isMissing(image) || image.push.attached.length > 0),
    ...charts.filter(({ tag, prepared }) => !isThere(tag) || prepared.attached.length > 0),
  ];
  await requirePushPermission(
    missing.map(({ tag }) => tag.reference),
    context,
  );
}

/** What the target has of images that an earlier run has pushed. */
async function findSkipped({ skipped }: PreparedUnwrap, context: RunContext): Promise<PushedImage[]> {
  const found = await mapConcurrently(skipped, context, async (push, signal) => {
    const digests = acceptedDigests(push);
    const digest = await findPushed({ reference: push.target, digests }, context, signal);
    return digest !== undefined && digests.has(digest) ? [{ push, digest }] : [];
  });
  return found.flat();
}

function findReplaced(pushed: readonly PushedImage[]): ReplacedIndexes {
  return new Map(
    pushed.flatMap(({ push: { sourceDigest }, digest }) =>
      sourceDigest === undefined || sourceDigest === digest ? [] : [[sourceDigest, digest] as const],
    ),
  );
}

function describePrepared({ charts, pushes }: PreparedUnwrap): UnwrapChartsResult {
  return {
    pushed: false,
    charts: charts.map((prepared) => describeChart(prepared, prepared.finished)),
    images: pushes.map((push) => describePush(push, push.graph.root.descriptor.digest)),
  };
}
