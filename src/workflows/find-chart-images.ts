import type { CheckedImage } from '../domain/discovery/discovered-image.ts';
import type { RunContext } from './context.ts';
import { fetchChart, type ChartSource } from './charts/fetch-chart.ts';
import { checkLikelyImages } from './discovery/check-likely-images.ts';
import { describeGaps } from './discovery/describe-gaps.ts';
import { findImages, requireImages, type FindImagesOptions, type FoundImages } from './discovery/find-images.ts';
import { readRenderSettings, type RenderSettings } from './discovery/read-values-files.ts';

export interface FindChartImagesOptions extends Omit<FindImagesOptions, 'valuesFiles'>, RenderSettings {
  readonly source: ChartSource;
  /** Ask the registries of likely images whether they have them. */
  readonly checksLikely: boolean;
}

export interface FindChartImagesResult {
  readonly chart: { readonly name: string; readonly version: string };
  readonly images: readonly CheckedImage[];
  readonly rendering: FoundImages['rendering']['state'];
  readonly renderCount: number;
  readonly warnings: readonly string[];
}

/**
 * Finds the images of a chart from wherever it lies. Throws as `fetchChart` and `findImages` do, and DT_CHART_NO_IMAGES or
 * DT_CHART_NOT_RENDERED if there are none.
 */
export async function findChartImages(
  { source, checksLikely, ...options }: FindChartImagesOptions,
  context: RunContext,
): Promise<FindChartImagesResult> {
  const render = readRenderSettings(options);
  const { chart } = await fetchChart(source, context);
  const found = await findImages(chart, { ...options, ...render }, context);
  requireImages(chart, found);
  const { name, version } = chart.metadata;
  return {
    chart: { name, version },
    images: checksLikely ? await checkLikelyImages(found.images, context) : found.images,
    rendering: found.rendering.state,
    renderCount: found.statistics.renders,
    warnings: describeGaps(found),
  };
}
