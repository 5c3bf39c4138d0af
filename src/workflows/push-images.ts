import { formatCount } from '../domain/format-quantity.ts';
import { combineFailures } from './collect-failures.ts';
import type { RunContext } from './context.ts';
import { findLayoutsFolder } from './layouts/layouts-folder.ts';
import { openLayouts } from './layouts/open-layouts.ts';
import { parseLocalLock, readLocalChart } from './locking/chart-lock-file.ts';
import { nameSide } from './name-side.ts';
import type { OpenedWrap } from './opening/opened-wrap.ts';
import { requirePushPermission } from './preflight.ts';
import { checkTarget, isMissing, listTargets } from './unwrapping/check-target.ts';
import { warnOfOverwrites } from './unwrapping/confirm-push.ts';
import { planImagePushes, type ImagePush } from './unwrapping/plan-image-pushes.ts';
import { pushAttached } from './unwrapping/push-attached.ts';
import { pushImages, type PushSummary } from './unwrapping/push-images.ts';
import { describePush, toAttachedPush, type UnwrappedImage } from './unwrapping/unwrapped-image.ts';

export interface PushPulledImagesOptions {
  /** A folder or a .tgz, locked. */
  readonly chart: string;
  /** Default: `images` in the chart folder, or beside the archive. */
  readonly imagesFolder?: string | undefined;
  /** Leave signatures and what else is attached where it is. */
  readonly skipAttached: boolean;
}

export interface PushPulledImagesResult {
  readonly chart: { readonly name: string; readonly version: string };
  readonly imagesFolder: string;
  readonly images: readonly UnwrappedImage[];
  readonly summary: PushSummary;
}

/**
 * Pushes the images of a lock from layouts to the references of the lock, and reads them back. Nobody is asked, as with the Go
 * tool. Throws DT_FILE_NOT_FOUND without lock or layouts, DT_WRAP_INCOMPLETE and the other codes of damage, and what registries
 * say.
 */
export async function pushPulledImages(
  options: PushPulledImagesOptions,
  context: RunContext,
): Promise<PushPulledImagesResult> {
  const local = await readLocalChart(options.chart, undefined, context);
  const lock = parseLocalLock(local);
  const folder = await findLayoutsFolder(local, options.imagesFolder);
  const { name, version } = local.chart.metadata;
  return nameSide('destination', async () =>
    context.reporter.section(`Pushing the images of ${name} ${version}`, async () => {
      const wrap = await openLayouts(folder, lock);
      const pushes = await context.reporter.step(
        'Reading the layouts',
        async () => planImagePushes(wrap, wrap.folders, { rule: undefined, indexMode: 'auto' }, context),
        (planned) => formatCount(planned.length, 'image'),
      );
      const chosen = options.skipAttached ? pushes.map((image) => ({ ...image, attached: [] })) : pushes;
      const { images, summary } = await push(wrap, chosen, context);
      return { chart: { name, version }, imagesFolder: folder.path, images, summary };
    }),
  );
}

async function push(
  wrap: OpenedWrap,
  pushes: readonly ImagePush[],
  context: RunContext,
): Promise<Pick<PushPulledImagesResult, 'images' | 'summary'>> {
  const checked = await checkTarget({ wrap, pushes, charts: [] }, context);
  const { images } = checked;
  warnOfOverwrites(listTargets(checked), context);
  await requirePushPermission(
    images.filter(isMissing).map(({ tag }) => tag.reference),
    context,
  );
  const { summary, pushed, failures } = await pushImages(images, context);
  const allFailures = [...failures, ...(await pushAttached(pushed.map(toAttachedPush), {}, context))];
  if (allFailures.length > 0) throw combineFailures(allFailures, { totalCount: images.length, verb: 'pushed' });
  return {
    images: pushed.map(({ push: image, digest }) => describePush(image, digest)),
    summary,
  };
}
