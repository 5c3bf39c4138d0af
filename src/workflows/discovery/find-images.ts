import type { Chart } from '../../domain/chart/chart.ts';
import type { DiscoveredImage, DiscoveryReason, ImageFinding } from '../../domain/discovery/discovered-image.ts';
import { findDeclaredImages } from '../../domain/discovery/find-declared-images.ts';
import { describeProblems } from '../../domain/discovery/describe-problems.ts';
import { findDormantShapes } from '../../domain/discovery/find-dormant-shapes.ts';
import { mergeFindings } from '../../domain/discovery/merge-discovered.ts';
import type { RenderedImage } from '../../domain/discovery/rendered-image.ts';
import { DtError, isDtError } from '../../domain/errors.ts';
import { formatCount } from '../../domain/format-quantity.ts';
import { formatReference, parseReference } from '../../domain/oci/reference.ts';
import { createKnownImages } from '../../domain/relocation/known-images.ts';
import { formatYamlPath } from '../../domain/yaml/yaml-tree.ts';
import { findHelm, type HelmProgram } from '../../helm/find-helm.ts';
import { HelmRenderer, type RenderStatistics } from '../../helm/helm-renderer.ts';
import type { RenderOptions } from '../../helm/render-input.ts';
import { listValuesTexts } from './chart-rendering.ts';
import type { RunContext } from '../context.ts';
import { exploreFeatures, type FeatureImages } from './explore-features.ts';
import { renderChart } from './render-chart.ts';
import { type ImageOrigins, traceImages } from './trace-images.ts';

export interface FindImagesOptions extends RenderOptions {
  /** Read this annotation instead of the known ones. */
  readonly annotationsKey?: string | undefined;
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

export interface FoundImages {
  readonly images: readonly DiscoveredImage[];
  readonly rendering: RenderingOutcome;
  /** Documents of the rendering that could not be read, and image fields that hold no reference. */
  readonly problems: readonly string[];
  readonly statistics: RenderStatistics;
}

const NO_FEATURES: FeatureImages = { images: [], origins: new Map(), untried: 0 };

interface Rendered {
  readonly findings: readonly ImageFinding[];
  readonly outcome: RenderingOutcome;
  readonly problems: readonly string[];
  readonly statistics: RenderStatistics;
}

/**
 * Finds the images of a chart: those that it declares, those that its rendering holds, those of features that are off, and
 * those that values files have the shape of. Without Helm, or if the chart does not render, only the first and the last. An empty result is
 * no error here. Throws as `readChartImages` does, DT_YAML_INVALID, DT_INTERRUPTED.
 */
export async function findImages(chart: Chart, options: FindImagesOptions, context: RunContext): Promise<FoundImages> {
  const declared = findDeclaredImages(chart, { ...options, ignoresOwnLock: options.purpose === 'lock' });
  const rendered = await findWithHelm(chart, options, context);
  const findings = [...declared, ...rendered.findings];
  return {
    images: mergeFindings([...findings, ...findInValues(chart, options, findings)]),
    rendering: rendered.outcome,
    problems: rendered.problems,
    statistics: rendered.statistics,
  };
}

/**
 * Throws why the chart could not be rendered, if it does not say itself what it needs (the shape of values is no proof), and
 * DT_CHART_NO_IMAGES if nothing at all was found.
 */
export function requireImages(chart: Chart, { images, rendering }: FoundImages): void {
  const isDeclared = images.some(({ confidence }) => confidence === 'declared');
  if (rendering.state === 'failed' && !isDeclared) throw rendering.error;
  if (images.length > 0) return;
  throw new DtError('DT_CHART_NO_IMAGES', `no image was found in the chart "${chart.metadata.name}"`, {
    hints:
      rendering.state === 'no-helm'
        ? ['install Helm or set HELM_BIN: without it only annotations and values are looked at']
        : ['-f FILE or --set KEY=VALUE if it renders nothing by default'],
  });
}

async function findWithHelm(chart: Chart, options: FindImagesOptions, context: RunContext): Promise<Rendered> {
  let helm: HelmProgram | undefined;
  try {
    helm = await findHelm(context);
  } catch (error) {
    if (!isDtError(error, 'DT_HELM_UNUSABLE')) throw error;
    return notRendered({ state: 'failed', error });
  }
  return helm === undefined ? notRendered({ state: 'no-helm' }) : findByRendering(chart, helm, options, context);
}

function notRendered(outcome: RenderingOutcome): Rendered {
  return { findings: [], outcome, problems: [], statistics: { renders: 0, durationMs: 0 } };
}

async function findByRendering(
  chart: Chart,
  helm: HelmProgram,
  options: FindImagesOptions,
  context: RunContext,
): Promise<Rendered> {
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

/** What no rendering has shown, by the shape of the values alone. */
function findInValues(
  chart: Chart,
  options: FindImagesOptions,
  findings: readonly ImageFinding[],
): readonly ImageFinding[] {
  const known = createKnownImages(findings.map(({ reference }) => parseReference(reference)));
  const texts = listValuesTexts(chart, options.valuesFiles);
  const traced = listTracedRegistries(findings);
  return texts.flatMap((text) =>
    findDormantShapes(text, known)
      .filter(({ file, path }) => !traced.has(mapKey(file, path)))
      .map(({ reference, file, line, path }) => ({
        reference: formatReference(reference),
        chart: chart.metadata.name,
        confidence: 'dormant' as const,
        isComplete: true,
        reason: { kind: 'values' as const, file, line, path },
      })),
  );
}

/** The maps whose registry is the head of a rendered image: a template may put another one in than stands there. */
function listTracedRegistries(findings: readonly ImageFinding[]): ReadonlySet<string> {
  const origins = findings.flatMap(({ reason }) => ('origins' in reason ? reason.origins : []));
  return new Set(
    origins.filter(({ path }) => /(?:registry|hub)$/i.test(path)).map(({ file, path }) => mapKey(file, path)),
  );
}

/** The map that holds the scalar at a path. */
function mapKey(file: string, path: string): string {
  return `${file}\0${path.slice(0, Math.max(path.lastIndexOf('.'), 0))}`;
}
