import { nameFlag } from '../../domain/discovery/find-off-flags.ts';
import { findChartFile, VALUES_FILE_NAME } from '../../domain/chart/chart-tree.ts';
import type { Chart } from '../../domain/chart/chart.ts';
import type { RenderedImage } from '../../domain/discovery/rendered-image.ts';
import { isDtError } from '../../domain/errors.ts';
import type { RenderingNoise } from '../../domain/proof/rendering-noise.ts';
import type { HelmRenderer } from '../../helm/helm-renderer.ts';
import type { RenderOptions } from '../../helm/render-input.ts';
import type { ChartRendering, RenderedImages } from '../discovery/chart-rendering.ts';
import { renderChart } from '../discovery/render-chart.ts';
import { listOffFeatures, renderFlagSets, switchOnNamed } from '../discovery/switch-features.ts';

/** After a first rendering that took longer, features that are off are not looked at: they would take minutes. */
const MAX_FEATURE_RENDER_MS = 1_000;
/** Renderings that look for features which get along with each other; every trial of a relocation renders all that were found. */
const MAX_FEATURE_RENDERS = 8;
/** After this no further one is begun. */
const MAX_FEATURE_SEARCH_MS = 3_000;

/** One way to render a chart: by its own values, with another values file of it on top, or with features on that are off. */
export interface RenderVariant {
  /** The values file of the chart that wins over its own values. */
  readonly valuesFile?: string;
  /** Names of the flags that are `false` and rendered as `true`: see `nameFlag`. */
  readonly switchedOn?: ReadonlySet<string>;
  readonly options: RenderOptions;
  readonly rendering: ChartRendering;
  readonly before: RenderedImages;
  /** Undefined until it is looked for. */
  noise: RenderingNoise | undefined;
}

/**
 * Renders the chart as it is: by its own values, with each of its other values files, and with the features on that are off, as
 * far as they get along with each other. Throws DT_CHART_NOT_RENDERED for the first two, DT_HELM_UNUSABLE, DT_INTERRUPTED.
 */
export async function renderVariants(
  chart: Chart,
  renderer: HelmRenderer,
  valuesFiles: readonly string[],
  options: RenderOptions,
): Promise<readonly RenderVariant[]> {
  const others = valuesFiles.filter(
    (file) => file !== VALUES_FILE_NAME && findChartFile(chart.tree, file) !== undefined,
  );
  const startedAtMs = performance.now();
  const [own, ...rest] = await Promise.all(
    [undefined, ...others].map(async (valuesFile): Promise<RenderVariant> => {
      const first = await renderChart(chart, renderer, withValuesFile(chart, options, valuesFile));
      return {
        ...(valuesFile === undefined ? {} : { valuesFile }),
        options: { ...options, kubeVersion: first.chosenKubeVersion ?? options.kubeVersion },
        rendering: first.rendering,
        before: first.rendered,
        noise: undefined,
      };
    }),
  );
  if (own === undefined) return rest;
  const isSlow = performance.now() - startedAtMs > MAX_FEATURE_RENDER_MS;
  const more = await Promise.all([renderPlain(chart, renderer, options), isSlow ? [] : renderFeatures(own)]);
  return [own, ...rest, ...more.flat()];
}

/** Renders a chart in the way of a variant. `attempt` 1 renders the same once more. Throws as `ChartRendering` does. */
export async function renderLike(
  variant: Pick<RenderVariant, 'switchedOn'>,
  rendering: ChartRendering,
  attempt?: number,
): Promise<RenderedImages> {
  const { switchedOn } = variant;
  if (switchedOn === undefined) return rendering.render(new Map(), attempt);
  return rendering.probe(switchOnNamed(rendering.listValues(), switchedOn), () => true, attempt);
}

/** The options with a values file of the chart in front of those from outside, which win. */
export function withValuesFile(chart: Chart, options: RenderOptions, name: string | undefined): RenderOptions {
  const file = name === undefined ? undefined : findChartFile(chart.tree, name);
  if (file === undefined) return options;
  return { ...options, valuesFiles: [{ name: file.path, bytes: file.bytes }, ...options.valuesFiles] };
}

/** What the values from outside hide of the chart's own. Empty if there are none, or if the chart needs them. */
async function renderPlain(
  chart: Chart,
  renderer: HelmRenderer,
  options: RenderOptions,
): Promise<readonly RenderVariant[]> {
  if (options.valuesFiles.length === 0 && options.set.length === 0) return [];
  const plain = { ...options, valuesFiles: [], set: [] };
  try {
    const { rendering, rendered, chosenKubeVersion } = await renderChart(chart, renderer, plain);
    const kubeVersion = chosenKubeVersion ?? options.kubeVersion;
    return [{ options: { ...plain, kubeVersion }, rendering, before: rendered, noise: undefined }];
  } catch (error) {
    if (!isDtError(error, 'DT_CHART_NOT_RENDERED')) throw error;
    return [];
  }
}

/** With all features on; where that fails, with each part that renders and shows an image where nothing else does. */
async function renderFeatures(own: RenderVariant): Promise<readonly RenderVariant[]> {
  const flags = listOffFeatures(own.rendering);
  if (flags.length === 0) return [];
  const variants: RenderVariant[] = [];
  const knownPlaces = new Set(own.before.images.map(keyOf));
  const budget = { rendersLeft: MAX_FEATURE_RENDERS, endsAtMs: performance.now() + MAX_FEATURE_SEARCH_MS };
  await renderFlagSets([flags], budget, {
    render: async (changes) => own.rendering.probe(changes, () => true),
    take: (set, before) => {
      const keys = before.images.map(keyOf);
      if (set.length < flags.length && keys.every((key) => knownPlaces.has(key))) return;
      for (const key of keys) knownPlaces.add(key);
      const { options, rendering } = own;
      variants.push({ options, rendering, before, switchedOn: new Set(set.map(nameFlag)), noise: undefined });
    },
  });
  return variants;
}

function keyOf({ text, place: { template, kind, path } }: RenderedImage): string {
  return JSON.stringify([text, template, kind, path]);
}
