import { DtError } from '../domain/errors.ts';
import { formatCount } from '../domain/format-quantity.ts';
import type { Reference } from '../domain/oci/reference.ts';
import { parseRelocationPrefix, type RelocationPrefix } from '../domain/relocation/relocation-prefix.ts';
import { refuseOverwrites } from './unwrapping/check-tags.ts';
import { checkTarget, listTargets } from './unwrapping/check-target.ts';
import { combineFailures } from './collect-failures.ts';
import { confirmPush, warnOfOverwrites } from './unwrapping/confirm-push.ts';
import type { RunContext } from './context.ts';
import { nameSide } from './name-side.ts';
import { openWrap } from './opening/open-wrap.ts';
import type { OpenedWrap } from './opening/opened-wrap.ts';
import { planImagePushes, type ImagePush, type IndexMode } from './unwrapping/plan-image-pushes.ts';
import { requirePushPermission } from './preflight.ts';
import { pushAttached } from './unwrapping/push-attached.ts';
import { isMissing, pushImages, type PushSummary } from './unwrapping/push-images.ts';
import { describePush, toAttachedPush, type UnwrappedImage } from './unwrapping/unwrapped-image.ts';

export interface UnwrapImagesOptions {
  readonly file: string;
  /** Registry and path that the images go under; `oci://` in front is fine. */
  readonly prefix: string;
  readonly indexMode?: IndexMode;
  readonly skipAttached?: boolean;
  readonly assumeYes: boolean;
  readonly noOverwrite?: boolean;
  readonly skipPreflight?: boolean;
}

export interface UnwrapImagesResult {
  /** False if the answer was no: then nothing was pushed. */
  readonly pushed: boolean;
  readonly images: readonly UnwrappedImage[];
  readonly summary?: PushSummary;
}

/**
 * Pushes the images of a container wrap as `PREFIX/NAME:TAG`, where NAME is the last part of the repository. Throws DT_USAGE for
 * a wrap with charts, and as `unwrapCharts`.
 */
export async function unwrapImages(options: UnwrapImagesOptions, context: RunContext): Promise<UnwrapImagesResult> {
  const prefix = parseRelocationPrefix(options.prefix);
  return nameSide('destination', async () => {
    const { wrap, pushes, checked } = await context.reporter.section(`Unwrapping "${options.file}"`, async () => {
      const { wrap, pushes } = await prepare(options, prefix, context);
      return { wrap, pushes, checked: await checkTarget({ wrap, pushes, charts: [] }, context) };
    });
    try {
      const targets = listTargets(checked);
      if (options.noOverwrite === true) refuseOverwrites(targets);
      if (options.assumeYes) warnOfOverwrites(targets, context);
      else if (!(await confirmPush(checked, context))) {
        return { pushed: false, images: pushes.map((push) => describePush(push, push.graph.root.descriptor.digest)) };
      }
      return await context.reporter.section('Pushing', async () => {
        const missing = checked.images.filter(isMissing).map(({ tag }) => tag.reference);
        if (options.skipPreflight !== true) await requirePushPermission(missing, context);
        const { summary, pushed, failures } = await pushImages(checked.images, context);
        const allFailures = [...failures, ...(await pushAttached(pushed.map(toAttachedPush), options, context))];
        if (allFailures.length > 0) {
          throw combineFailures(allFailures, { totalCount: pushes.length, verb: 'pushed' });
        }
        return { pushed: true, images: pushed.map(({ push, digest }) => describePush(push, digest)), summary };
      });
    } finally {
      await wrap.close();
    }
  });
}

async function prepare(
  options: UnwrapImagesOptions,
  prefix: RelocationPrefix,
  context: RunContext,
): Promise<{ wrap: OpenedWrap; pushes: readonly ImagePush[] }> {
  const wrap = await context.reporter.step(
    'Reading the wrap',
    async () => openWrap(options.file, context),
    ({ folders }) => formatCount(folders.flatMap(({ lock }) => lock.images).length, 'image'),
  );
  try {
    if (wrap.folders.some(({ chart }) => chart !== undefined)) {
      throw new DtError('DT_USAGE', `${wrap.path} is the wrap of a chart`, { hints: [`{bin} unwrap ${wrap.path} …`] });
    }
    const plan = {
      relocate: (reference: Reference) => placeUnder(reference, prefix),
      indexMode: options.indexMode ?? 'auto',
    };
    const pushes = await planImagePushes(wrap, wrap.folders, plan, context);
    return {
      wrap,
      pushes: options.skipAttached === true ? pushes.map((push) => ({ ...push, attached: [] })) : pushes,
    };
  } catch (error) {
    await wrap.close();
    throw error;
  }
}

/** Only the last part of the repository stays, as the Go dt has it. */
function placeUnder(reference: Reference, { registry, path }: RelocationPrefix): Reference {
  const name = reference.repository.slice(reference.repository.lastIndexOf('/') + 1);
  return { ...reference, registry, repository: path === '' ? name : `${path}/${name}` };
}
