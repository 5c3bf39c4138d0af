import type { Chart } from '../../domain/chart/chart.ts';
import { DtError, isDtError } from '../../domain/errors.ts';
import { findFittingKubeVersion } from '../../domain/version/fitting-kube-version.ts';
import type { HelmRenderer } from '../../helm/helm-renderer.ts';
import type { RenderOptions } from '../../helm/render-input.ts';
import { ChartRendering, type RenderedImages } from './chart-rendering.ts';

/** A chart and each of its subcharts may ask for another version. */
const MAX_VERSION_TRIES = 4;
const KUBE_VERSION_PATTERN = /requires kubeVersion: (.+?) which is incompatible with Kubernetes (v?[\d.]+)/i;

export interface FirstRendering {
  readonly rendering: ChartRendering;
  readonly rendered: RenderedImages;
  /** The version of Kubernetes that was chosen because Helm's own does not suit the chart; undefined if none was. */
  readonly chosenKubeVersion: string | undefined;
}

/**
 * Renders a chart for the first time. One that refuses the version of Kubernetes that Helm takes by itself is rendered for
 * the nearest that it allows, unless the user named one. Throws DT_CHART_NOT_RENDERED, DT_HELM_UNUSABLE, DT_INTERRUPTED.
 */
export async function renderChart(
  chart: Chart,
  renderer: HelmRenderer,
  options: RenderOptions,
): Promise<FirstRendering> {
  const ranges: string[] = [];
  let { kubeVersion } = options;
  let current: string | undefined;
  for (;;) {
    const rendering = new ChartRendering(chart, renderer, { ...options, kubeVersion });
    try {
      const rendered = await rendering.render();
      return { rendering, rendered, chosenKubeVersion: kubeVersion === options.kubeVersion ? undefined : kubeVersion };
    } catch (error) {
      if (!isDtError(error, 'DT_CHART_NOT_RENDERED') || options.kubeVersion !== undefined) throw error;
      const [, range, version] = KUBE_VERSION_PATTERN.exec(error.message) ?? [];
      if (range === undefined || version === undefined || ranges.length === MAX_VERSION_TRIES) throw error;
      current ??= version;
      ranges.push(range);
      const next = findFittingKubeVersion(ranges, current);
      if (next === undefined || next === kubeVersion) throw withFacts(error, ranges);
      kubeVersion = next;
    }
  }
}

function withFacts(error: DtError, ranges: readonly string[]): DtError {
  return new DtError(error.code, error.message, {
    hints: error.hints,
    detail: `No version of Kubernetes satisfies ${ranges.join(' and ')}.`,
    cause: error,
  });
}
