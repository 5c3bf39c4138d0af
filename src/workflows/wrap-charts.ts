import type { Chart } from '../domain/chart/chart.ts';
import type { ChartOrigin } from '../domain/chart/chart-origin.ts';
import { buildChartTree } from '../domain/chart/chart-tree.ts';
import { IMAGE_ANNOTATION_KEYS } from '../domain/chart/images-annotation.ts';
import { DtError } from '../domain/errors.ts';
import { isSameLockImage } from '../domain/lock/images-lock.ts';
import { DELTA_INFIX, WRAP_EXTENSION, wrapFolder } from '../domain/wrap/wrap-document.ts';
import type { RunContext } from './context.ts';
import { fetchChart, type ChartSource } from './charts/fetch-chart.ts';
import { gatherChartArtifacts } from './wrapping/gather-images.ts';
import { describeChartBundle } from './carvel/describe-chart-bundle.ts';
import { lockChart } from './locking/lock-chart.ts';
import type { LockedImages, LockOptions } from './locking/lock-images.ts';
import { searchImages, type ChartImages } from './locking/search-images.ts';
import { nameSide } from './name-side.ts';
import { readBases } from './wrapping/read-bases.ts';
import { requireOtherFile, requireOutputPlace } from './wrapping/require-output-place.ts';
import { openWrapSigner } from './wrapping/sign-wrap.ts';
import { writeOutput, type FolderToWrite, type OutputOptions, type WrapResult } from './wrapping/write-output.ts';

const RENDERING_FACTS: Readonly<Record<ChartImages['discovery']['rendering']['state'], string>> = {
  rendered: ', and from the rendering, which has none',
  failed: '; the chart does not render',
  'no-helm': '; there is no Helm to render the chart with',
  skipped: '',
};

export interface WrapChartsOptions extends LockOptions, OutputOptions {
  readonly sources: readonly [ChartSource, ...ChartSource[]];
  /** Default for one chart: `NAME-VERSION.wrap.tgz` in the working directory, `NAME-VERSION.delta.wrap.tgz` with a base. */
  readonly outputFile?: string | undefined;
  /** Wrap a chart in which no image is found. */
  readonly allowEmpty: boolean;
  /** Leave the images out: a light wrap. */
  readonly skipImages: boolean;
  /** Put the files into the chart in the wrap that make it a bundle for imgpkg. */
  readonly addsCarvelBundle?: boolean;
}

export interface WrapChartsResult extends WrapResult {
  readonly charts: readonly { readonly name: string; readonly version: string }[];
  /** The images in the wrap that no annotation names. */
  readonly added: readonly string[];
}

/**
 * Makes one file of charts and their images. The file appears under its name only when it is complete. One image that fails
 * does not stop the others; the error names all that failed.
 * Throws DT_USAGE for several charts without a name for the file, or the same one twice, DT_CHART_NO_IMAGES and what fetching,
 * locking, copying and writing throw.
 */
export async function wrapCharts(options: WrapChartsOptions, context: RunContext): Promise<WrapChartsResult> {
  const { sources } = options;
  const [first] = sources;
  const title = sources.length === 1 ? `Helm chart "${first.location}"` : `${String(sources.length)} Helm charts`;
  requireUsage(options);
  const signer = await openWrapSigner(options.signKeyFile, context.environment);
  return nameSide('source', async () =>
    context.reporter.section(`Wrapping ${title}`, async () => {
      const base = await readBases(options.bases ?? [], options, context);
      const fetched = [];
      for (const source of sources) fetched.push(await fetchChart(source, context));
      requireDifferentCharts(fetched.map(({ chart }) => chart));
      const outputFile =
        options.outputFile ??
        defaultOutputFile(
          fetched.map(({ chart }) => chart),
          base !== undefined,
        );
      await requireOutputPlace(outputFile, options);
      await requireOtherFile(outputFile, [...sources.map(({ location }) => location), ...(options.bases ?? [])]);
      const folders: FolderToWrite[] = [];
      const added: string[] = [];
      for (const { chart, origin } of fetched) {
        const prepared = await prepareFolder(chart, origin, options, context);
        folders.push(prepared.folder);
        added.push(...prepared.added);
      }
      const result = await writeOutput(
        folders as [FolderToWrite, ...FolderToWrite[]],
        outputFile,
        { ...options, signer, base },
        context,
      );
      return {
        charts: fetched.map(
          ({
            chart: {
              metadata: { name, version },
            },
          }) => ({ name, version }),
        ),
        added,
        ...result,
      };
    }),
  );
}

function requireUsage({ sources, outputFile, isCompatible }: WrapChartsOptions): void {
  if (outputFile === '') throw new DtError('DT_USAGE', 'the name of the output file is empty');
  if (sources.length === 1) return;
  if (outputFile === undefined) {
    throw new DtError('DT_USAGE', 'several charts in one wrap need a name for the file', {
      hints: ['{bin} wrap CHART CHART … --output-file FILE'],
    });
  }
  if (isCompatible) {
    throw new DtError('DT_USAGE', 'the Go dt reads wraps of one chart only: --compat takes one');
  }
}

function requireDifferentCharts(charts: readonly Chart[]): void {
  const names = charts.map(({ metadata }) => wrapFolder(metadata));
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) throw new DtError('DT_USAGE', `the chart ${repeated} is given twice`);
}

function defaultOutputFile([chart]: readonly Chart[], isDelta: boolean): string {
  if (chart === undefined) throw new TypeError('no chart to wrap');
  return wrapFolder(chart.metadata) + (isDelta ? DELTA_INFIX : '') + WRAP_EXTENSION;
}

async function prepareFolder(
  chart: Chart,
  origin: ChartOrigin,
  options: WrapChartsOptions,
  context: RunContext,
): Promise<{ readonly folder: FolderToWrite; readonly added: readonly string[] }> {
  const chosen = await searchImages(chart, options, context);
  const { addsCarvelBundle = false } = options;
  const namesOnly = options.skipImages && !addsCarvelBundle;
  const locked = await lockChart(chart, chosen, { ...options, namesOnly }, context);
  requireImages(chosen, locked, options, context);
  const bundle = addsCarvelBundle ? describeChartBundle(chart, locked, options.annotationsKey) : [];
  const folder = {
    name: wrapFolder(chart.metadata),
    chart: {
      metadata: chart.metadata,
      tree: bundle.length === 0 ? chart.tree : buildChartTree([...chart.tree, ...bundle]),
      origin,
      attached: options.skipAttached === true ? [] : await gatherChartArtifacts(chart.metadata, origin, context),
      discovery: chosen.discovery,
    },
    locked,
  };
  const annotated = chosen.images.filter(({ found }) => found === undefined);
  const added = locked.lock.images.filter((image) => !annotated.some((other) => isSameLockImage(other, image)));
  return { folder, added: added.map(({ image }) => image) };
}

function requireImages(
  { discovery }: ChartImages,
  { lock }: LockedImages,
  options: WrapChartsOptions,
  context: RunContext,
): void {
  const { name } = lock.chart;
  if (lock.images.length > 0) return;
  if (options.allowEmpty) {
    context.reporter.warn(`No images found in ${name}: the wrap holds the chart only`);
    return;
  }
  const keys = options.annotationsKey === undefined ? IMAGE_ANNOTATION_KEYS : [options.annotationsKey];
  throw new DtError('DT_CHART_NO_IMAGES', `no image is found in the chart ${name}`, {
    detail: `Images are read from these annotations of Chart.yaml: ${keys.join(', ')}${RENDERING_FACTS[discovery.rendering.state]}.`,
    hints: [
      'name the images in an annotation, or the annotation with --annotations-key',
      '{bin} wrap … --allow-empty to wrap the chart alone',
    ],
  });
}
