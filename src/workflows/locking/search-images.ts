import type { Chart } from '../../domain/chart/chart.ts';
import { readChartImages } from '../../domain/chart/images-annotation.ts';
import { chooseImages, type ChosenImages } from '../../domain/discovery/choose-images.ts';
import { describeReason } from '../../domain/discovery/describe-reason.ts';
import type { DiscoveredImage } from '../../domain/discovery/discovered-image.ts';
import type { ChartDiscovery } from '../../domain/discovery/discovery-document.ts';
import { findDeclaredImages } from '../../domain/discovery/find-declared-images.ts';
import { mergeFindings } from '../../domain/discovery/merge-discovered.ts';
import { systemErrorCode } from '../../domain/errors.ts';
import { isSameLockImage, type ImagesLock } from '../../domain/lock/images-lock.ts';
import type { RunContext } from '../context.ts';
import { describeGaps } from '../discovery/describe-gaps.ts';
import { findImages } from '../discovery/find-images.ts';
import { readRenderSettings, type RenderSettings } from '../discovery/read-values-files.ts';

/** How images are looked for that no annotation names. */
export interface ImageSearch extends RenderSettings {
  /** Look for images of features that are off more thoroughly; they are counted, not taken. */
  readonly allVariants: boolean;
  /** Take what only looks like an image, too. */
  readonly includesLikely: boolean;
}

export interface SearchOptions {
  /** Read this annotation instead of the known ones. */
  readonly annotationsKey?: string | undefined;
  /** Without it only annotations count, and no Helm is started. */
  readonly search?: ImageSearch | undefined;
  /** A chart without images will do. */
  readonly allowEmpty?: boolean;
}

/** The images that a lock of a chart is to have. */
export interface ChartImages extends ChosenImages {
  readonly discovery: ChartDiscovery;
}

/**
 * Finds the images that a lock of the chart is to have. That it does not render is a warning; that this machine cannot render it is an
 * error, and so is a chart without a single image, unless none is needed. Throws DT_CHART_NOT_RENDERED, DT_HELM_UNUSABLE and as `findImages` and `readRenderSettings` do.
 */
export async function searchImages(
  chart: Chart,
  { annotationsKey, search, allowEmpty = false }: SearchOptions,
  context: RunContext,
): Promise<ChartImages> {
  const annotated = readChartImages(chart, { annotationsKey });
  if (search === undefined) {
    const images = mergeFindings(findDeclaredImages(chart, { annotationsKey, ignoresOwnLock: true }));
    const chosen = chooseImages(annotated, [], { includesLikely: false });
    return { ...chosen, discovery: { rendering: { state: 'skipped' }, images } };
  }
  const { includesLikely, allVariants, ...settings } = search;
  const render = readRenderSettings(settings);
  const found = await findImages(chart, { ...render, allVariants, annotationsKey, purpose: 'lock' }, context);
  const { rendering } = found;
  const chosen = chooseImages(annotated, found.images, { includesLikely });
  if (rendering.state === 'failed') {
    // That this machine cannot render says nothing of the chart, which may have images that nobody declares.
    const isMachineFault = systemErrorCode(rendering.error.cause) !== undefined;
    if (isMachineFault || (chosen.images.length === 0 && !allowEmpty)) throw rendering.error;
  }
  const consequence = rendering.state === 'rendered' ? '' : '; declared images are taken, and no others';
  for (const gap of describeGaps(found)) context.reporter.warn(gap + consequence);
  return { ...chosen, discovery: { rendering, images: found.images } };
}

/** Says which images a new lock has that no annotation names, and what was found beside them. Returns the references of the former. */
export function reportAdded(
  { images, leftOut }: ChosenImages,
  lock: ImagesLock,
  { reporter }: RunContext,
): readonly string[] {
  const added: string[] = [];
  for (const image of images) {
    if (image.found === undefined || !lock.images.some((locked) => isSameLockImage(locked, image))) continue;
    added.push(image.image);
    reporter.info(`Added: ${image.image}, which no annotation names (${describeWhy(image.found)})`);
  }
  const parts = [
    countPart(leftOut, ({ isComplete }) => !isComplete, 'without a tag'),
    countPart(leftOut, ({ confidence, isComplete }) => isComplete && confidence === 'likely', 'likely'),
    countPart(
      leftOut,
      ({ confidence, isComplete }) => isComplete && confidence === 'dormant',
      'of features that are off',
    ),
  ].flat();
  if (parts.length > 0) reporter.info(`Not taken: images ${parts.join(', ')} ("images find" shows them)`);
  return added;
}

function countPart(
  images: readonly DiscoveredImage[],
  isCounted: (image: DiscoveredImage) => boolean,
  what: string,
): readonly string[] {
  const count = images.filter(isCounted).length;
  return count === 0 ? [] : [`${what} (${String(count)})`];
}

/** The best reason of an image. */
export function describeWhy({ reasons }: DiscoveredImage): string {
  const [first] = reasons;
  return first === undefined ? 'found' : describeReason(first);
}
