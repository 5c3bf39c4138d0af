import { setScalars } from '../../domain/discovery/apply-marks.ts';
import { findOffFlags, isSwitch, type OffFlag } from '../../domain/discovery/find-off-flags.ts';
import { walkScalars, type ValuesText } from '../../domain/discovery/find-value-marks.ts';
import { findChartFile, VALUES_FILE_NAME } from '../../domain/chart/chart-tree.ts';
import { outsideName } from '../../domain/discovery/outside-values.ts';
import type { Chart } from '../../domain/chart/chart.ts';
import { isDtError } from '../../domain/errors.ts';
import type { RenderingNoise } from '../../domain/proof/compare-renderings.ts';
import { formatYamlPath } from '../../domain/yaml/yaml-tree.ts';
import type { HelmRenderer } from '../../helm/helm-renderer.ts';
import type { RenderOptions } from '../../helm/render-input.ts';
import { type ChartRendering, type FileChanges, type RenderedImages } from '../discovery/chart-rendering.ts';
import { renderChart } from '../discovery/render-chart.ts';

/** After a first rendering that took longer, features that are off are not looked at: they would take minutes. */
const MAX_FEATURE_RENDER_MS = 1_000;

/** One way to render a chart: by its own values, with another values file of it on top, or with features on that are off. */
export interface RenderVariant {
  /** The values file of the chart that wins over its own values. */
  readonly valuesFile?: string;
  /** `FILE PATH` of the values that are `false` and rendered as `true`. */
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
  return rendering.probe(switchOn(rendering.listValues(), switchedOn), () => true, attempt);
}

/** The texts of the values with the features on. */
export function switchOn(texts: readonly ValuesText[], switchedOn: ReadonlySet<string>): FileChanges {
  return new Map(
    texts.flatMap(({ file, tree }): [string, string][] => {
      const scalars = [...walkScalars(tree.roots)].filter((scalar) =>
        switchedOn.has(`${file} ${formatYamlPath(scalar.path)}`),
      );
      return scalars.length === 0 ? [] : [[file, setScalars(tree, scalars, 'true')]];
    }),
  );
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

async function renderFeatures(own: RenderVariant): Promise<readonly RenderVariant[]> {
  // What a user says in a file of his own is no default of the chart.
  const flags = findOffFlags(own.rendering.listValues().filter(({ file }) => outsideName(file) === undefined));
  if (flags.length === 0) return [];
  const all = await tryFeatures(own, flags);
  if (all !== undefined) return [all];
  const switches = flags.filter(isSwitch);
  if (switches.length === 0 || switches.length === flags.length) return [];
  const parts = await Promise.all([
    tryFeatures(own, switches),
    tryFeatures(
      own,
      flags.filter((flag) => !switches.includes(flag)),
    ),
  ]);
  return parts.filter((part) => part !== undefined);
}

/** Undefined if the chart does not render with all of them on. */
async function tryFeatures(own: RenderVariant, flags: readonly OffFlag[]): Promise<RenderVariant | undefined> {
  const switchedOn = new Set(flags.map(({ text: { file }, scalar }) => `${file} ${formatYamlPath(scalar.path)}`));
  try {
    const before = await renderLike({ switchedOn }, own.rendering);
    return { options: own.options, rendering: own.rendering, before, switchedOn, noise: undefined };
  } catch (error) {
    if (!isDtError(error, 'DT_CHART_NOT_RENDERED')) throw error;
    return undefined;
  }
}
