import type { Chart } from '../../domain/chart/chart.ts';
import { describeProblems } from '../../domain/discovery/describe-problems.ts';
import type { DiscoveryReason, ImageFinding } from '../../domain/discovery/discovered-image.ts';
import type { RenderedImage } from '../../domain/discovery/rendered-image.ts';
import { isDtError, type DtError } from '../../domain/errors.ts';
import { formatCount } from '../../domain/format-quantity.ts';
import { formatReference } from '../../domain/oci/reference.ts';
import { formatYamlPath } from '../../domain/yaml/yaml-tree.ts';
import { findHelm, type HelmProgram } from '../../helm/find-helm.ts';
import { HelmRenderer, type RenderStatistics } from '../../helm/helm-renderer.ts';
import type { RenderOptions } from '../../helm/render-input.ts';
import type { RunContext } from '../context.ts';
import { exploreFeatures, type FeatureImages } from './explore-features.ts';
import { renderChart } from './render-chart.ts';
import { traceImages, type ImageOrigins } from './trace-images.ts';

export interface RenderingSearchOptions extends RenderOptions {
  /**
   * `lock`: what a lock of the chart needs to know, mostly with one rendering: no origins, no features unless `allVariants`, and
   * the lock that the chart has is no source. Default `report`.
   */
  readonly purpose?: 'report' | 'lock';
  /** Try every feature alone as well: minutes instead of seconds for a large chart. */
  readonly allVariants: boolean;
}

/** What came of the rendering. */
export type RenderingOutcome =
  | {
      readonly state: 'rendered';
      readonly helmVersion: string;
      /** Set if the chart refused what Helm takes by itself. */
      readonly chosenKubeVersion?: string;
      /** Features that could not be switched on. */
      readonly untriedFeatures: number;
    }
  | {
      readonly state: 'failed';
      /** Absent if not even Helm itself can be used. */
      readonly helmVersion?: string;
      readonly error: DtError;
    }
  | { readonly state: 'no-helm' };

/** What was found, and how. */
export interface RenderedFindings {
  readonly findings: readonly ImageFinding[];
  readonly outcome: RenderingOutcome;
  readonly problems: readonly string[];
  readonly statistics: RenderStatistics;
}

const NO_FEATURES: FeatureImages = { images: [], origins: new Map(), untried: 0 };

/**
 * Finds the images that the rendering of a chart holds, and those of features that are off. Without Helm, or if the chart does not
 * render, there are none, and the outcome says why. Throws DT_INTERRUPTED.
 */
export async function findByRendering(
  chart: Chart,
  options: RenderingSearchOptions,
  context: RunContext,
): Promise<RenderedFindings> {
  let helm: HelmProgram | undefined;
  try {
    helm = await findHelm(context);
  } catch (error) {
    if (!isDtError(error, 'DT_HELM_UNUSABLE')) throw error;
    return notRendered({ state: 'failed', error });
  }
  return helm === undefined ? notRendered({ state: 'no-helm' }) : findWithHelm(chart, helm, options, context);
}

function notRendered(outcome: RenderingOutcome): RenderedFindings {
  return { findings: [], outcome, problems: [], statistics: { renders: 0, durationMs: 0 } };
}

async function findWithHelm(
  chart: Chart,
  helm: HelmProgram,
  options: RenderingSearchOptions,
  context: RunContext,
): Promise<RenderedFindings> {
  const { environment, signal } = context;
  const chartName = chart.metadata.name;
  const renderer = new HelmRenderer({ helm, chartName, environment, signal });
  const { statistics } = renderer;
  try {
    return await context.reporter.step(
      'Rendering the chart',
      async () => {
        const { rendering, rendered, chosenKubeVersion } = await renderChart(chart, renderer, options);
        const isReport = options.purpose !== 'lock';
        const origins = isReport ? await traceImages(rendering, new Map(), rendered) : new Map();
        const features =
          isReport || options.allVariants
            ? await exploreFeatures(rendering, rendered, options.allVariants)
            : NO_FEATURES;
        return {
          findings: [
            ...toFindings(rendered.images, origins, 'rendering'),
            ...toFindings(features.images, features.origins, 'feature'),
          ],
          outcome: {
            state: 'rendered' as const,
            helmVersion: helm.version,
            ...(chosenKubeVersion === undefined ? {} : { chosenKubeVersion }),
            untriedFeatures: features.untried,
          },
          problems: describeProblems(rendered),
          statistics,
        };
      },
      () => `Helm chart ${chartName} rendered (${formatCount(statistics.renders, 'rendering')})`,
    );
  } catch (error) {
    if (!isDtError(error, 'DT_CHART_NOT_RENDERED', 'DT_HELM_UNUSABLE')) throw error;
    const outcome = { state: 'failed' as const, helmVersion: helm.version, error };
    return { findings: [], outcome, problems: [], statistics };
  } finally {
    await renderer.dispose();
  }
}

function toFindings(
  images: readonly RenderedImage[],
  origins: ImageOrigins,
  kind: 'rendering' | 'feature',
): readonly ImageFinding[] {
  return images.map((image) => {
    const { place, field, isTest, isCertain, isComplete, reference } = image;
    const reason: DiscoveryReason = {
      kind,
      template: place.template,
      object: `${place.kind}/${place.name}`,
      path: formatYamlPath(place.path),
      field,
      isTest,
      origins: origins.get(image) ?? [],
    };
    const confidence = kind === 'feature' ? 'dormant' : isCertain ? 'rendered' : 'likely';
    return { reference: formatReference(reference), chart: chartOf(place.template), confidence, isComplete, reason };
  });
}

/** The last chart in `CHART/charts/SUBCHART/templates/FILE`. */
function chartOf(template: string): string {
  const parts = template.split('/');
  let chart = parts[0] ?? '';
  for (let index = 1; parts[index] === 'charts'; index += 2) chart = parts[index + 1] ?? chart;
  return chart;
}
