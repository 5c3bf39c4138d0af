import { DtError } from '../domain/errors.ts';
import { formatCount } from '../domain/format-quantity.ts';
import type { RelocationRule } from '../domain/relocation/relocation-rule.ts';
import { isMissing, type CheckedUnwrap } from './unwrapping/check-target.ts';
import { combineFailures } from './collect-failures.ts';
import type { RunContext } from './context.ts';
import { openInput } from './opening/open-input.ts';
import { finishReading, type OpenedWrap } from './opening/opened-wrap.ts';
import { readRelocationRule, type RelocationOptions } from './relocating/read-relocation-rule.ts';
import { planImagePushes, type IndexMode } from './unwrapping/plan-image-pushes.ts';
import type { PreparedUnwrap } from './unwrapping/prepare-unwrap.ts';
import { requirePushPermission } from './preflight.ts';
import { listCompanions } from './unwrapping/list-companions.ts';
import { pushAttached } from './unwrapping/push-attached.ts';
import { runUnwrap, type RunUnwrapOptions } from './unwrapping/run-unwrap.ts';
import { pushImages, type PushSummary } from './unwrapping/push-images.ts';
import { describePush, toAttachedPush, type UnwrappedImage } from './unwrapping/unwrapped-image.ts';

/** Without a naming only the last part of a repository stays, as the Go tool has it. */
export interface UnwrapImagesOptions extends RunUnwrapOptions, Omit<RelocationOptions, 'pullPrefix'> {
  readonly indexMode?: IndexMode;
  readonly skipAttached?: boolean;
  readonly skipPreflight?: boolean;
}

export interface UnwrapImagesResult {
  /** False if the answer was no: then nothing was pushed. */
  readonly pushed: boolean;
  readonly images: readonly UnwrappedImage[];
  readonly summary?: PushSummary;
}

/**
 * Pushes the images of a container wrap under the prefix. Throws DT_USAGE for a wrap with charts, and as `unwrapCharts`.
 */
export async function unwrapImages(options: UnwrapImagesOptions, context: RunContext): Promise<UnwrapImagesResult> {
  const rule = readRelocationRule({ ...options, naming: options.naming ?? 'basename' });
  return runUnwrap(
    {
      prepare: async () => prepare(options, rule, context),
      decline: ({ pushes }): UnwrapImagesResult => ({
        pushed: false,
        images: pushes.map((push) => describePush(push, push.graph.root.descriptor.digest)),
      }),
      push: async ({ wrap }, checked) => push(wrap, checked, options, context),
    },
    options,
    context,
  );
}

async function push(
  wrap: OpenedWrap,
  checked: CheckedUnwrap,
  options: UnwrapImagesOptions,
  context: RunContext,
): Promise<UnwrapImagesResult> {
  const { images } = checked;
  const missing = images.filter(isMissing).map(({ tag }) => tag.reference);
  if (options.skipPreflight !== true) await requirePushPermission(missing, context);
  const { summary, pushed, failures } = await pushImages(images, context, listCompanions(checked, wrap));
  await finishReading(wrap);
  const allFailures = [...failures, ...(await pushAttached(pushed.map(toAttachedPush), options, context))];
  if (allFailures.length > 0) throw combineFailures(allFailures, { totalCount: images.length, verb: 'pushed' });
  return { pushed: true, images: pushed.map(({ push, digest }) => describePush(push, digest)), summary };
}

async function prepare(
  options: UnwrapImagesOptions,
  rule: RelocationRule,
  context: RunContext,
): Promise<Omit<PreparedUnwrap, 'skipped'>> {
  const wrap = await context.reporter.step(
    'Reading the wrap',
    async () => openInput(options, context),
    ({ folders }) => formatCount(folders.flatMap(({ lock }) => lock.images).length, 'image'),
  );
  try {
    if (wrap.folders.some(({ chart }) => chart !== undefined)) {
      throw new DtError('DT_USAGE', `${wrap.path} is the wrap of a chart`, { hints: [`{bin} unwrap ${wrap.path} …`] });
    }
    const plan = { rule, indexMode: options.indexMode ?? 'auto' };
    const pushes = await planImagePushes(wrap, wrap.folders, plan, context);
    return {
      wrap,
      rule,
      charts: [],
      pushes: options.skipAttached === true ? pushes.map((push) => ({ ...push, attached: [] })) : pushes,
    };
  } catch (error) {
    await wrap.close();
    throw error;
  }
}
