import { packChartArchive } from '../archive/chart-archive.ts';
import { loadChart } from '../archive/load-chart.ts';
import { chartTag } from '../domain/chart/chart-manifest.ts';
import type { Chart } from '../domain/chart/chart.ts';
import { IMAGE_ANNOTATION_KEYS } from '../domain/chart/images-annotation.ts';
import { DtError } from '../domain/errors.ts';
import { formatCount } from '../domain/format-quantity.ts';
import { isRepository, isTag, type Reference } from '../domain/oci/reference.ts';
import { relocateChart, type RelocatedChart } from '../domain/relocation/relocate-chart.ts';
import { parseRelocationPrefix, type RelocationPrefix } from '../domain/relocation/relocation-prefix.ts';
import type { RunContext } from './context.ts';
import { openWrap } from './open-wrap.ts';
import type { OpenedWrap } from './opened-wrap.ts';
import { planImagePushes, type ImagePush } from './plan-image-pushes.ts';
import { packChart, type PackedChart } from './push-chart.ts';
import { generationTime, readSourceDateSeconds } from './source-date.ts';

/** What is unwrapped, and where to. */
export interface UnwrapSource {
  readonly file: string;
  /** Registry and path that everything goes under; `oci://` in front is fine. */
  readonly prefix: string;
  /** Where the chart goes, if not under the prefix. */
  readonly pushChartUrl?: string | undefined;
  /** Values files inside the chart whose images are relocated. */
  readonly valuesFiles: readonly string[];
  readonly annotationsKey?: string | undefined;
  /** Push the chart only. */
  readonly skipImages: boolean;
}

/** Everything that is known, and checked, before any registry is asked. The wrap must be closed. */
export interface PreparedUnwrap {
  readonly wrap: OpenedWrap;
  readonly chart: Chart;
  readonly relocated: RelocatedChart;
  readonly pushes: readonly ImagePush[];
  readonly packedChart: PackedChart;
  readonly chartTarget: Reference;
}

/**
 * Reads a wrap, relocates its chart and plans what goes where, offline. Throws DT_BAD_PREFIX, DT_RELOCATION_COLLISION and
 * the codes of damaged wraps.
 */
export async function prepareUnwrap(source: UnwrapSource, context: RunContext): Promise<PreparedUnwrap> {
  const prefix = parseRelocationPrefix(source.prefix);
  const chartPrefix = source.pushChartUrl === undefined ? prefix : parseRelocationPrefix(source.pushChartUrl);
  const wrap = await context.reporter.step(
    'Reading the wrap',
    async () => openWrap(source.file, context),
    describeWrap,
  );
  try {
    return await prepare(wrap, { prefix, chartPrefix }, source, context);
  } catch (error) {
    await wrap.close();
    throw error;
  }
}

interface Prefixes {
  readonly prefix: RelocationPrefix;
  readonly chartPrefix: RelocationPrefix;
}

async function prepare(
  wrap: OpenedWrap,
  { prefix, chartPrefix }: Prefixes,
  source: UnwrapSource,
  context: RunContext,
): Promise<PreparedUnwrap> {
  const { reporter } = context;
  const chart = await loadChart(wrap.chartTree, source.file);
  requireContent(wrap, source);
  const relocated = await reporter.step(
    'Relocating the chart',
    async () => relocate(chart, prefix, source),
    ({ changes }) => `Helm chart relocated (${formatCount(changes.length, 'reference')} changed)`,
  );
  for (const warning of describeProblems(relocated)) reporter.warn(warning);
  const pushes = source.skipImages ? [] : await planImagePushes(wrap, prefix, context);
  const moved = await loadChart(relocated.tree, wrap.path);
  const packedChart = await packChart(
    { metadata: moved.metadata, tree: moved.tree, createdAt: creationTime(wrap, context) },
    context,
  );
  return { wrap, chart, relocated, pushes, packedChart, chartTarget: findChartTarget(chart, chartPrefix) };
}

/** Throws DT_CHART_INVALID for a name or version that no registry takes, or that would lead to another path of it. */
function findChartTarget(chart: Chart, prefix: RelocationPrefix): Reference {
  const { name, version } = chart.metadata;
  const repository = [prefix.path, name].filter((part) => part !== '').join('/');
  const tag = chartTag(version);
  if (!isRepository(repository) || !isTag(tag)) {
    throw new DtError(
      'DT_CHART_INVALID',
      `the chart ${name} ${version} cannot be pushed: a registry takes no such name or version`,
    );
  }
  return { registry: prefix.registry, repository, tag };
}

async function relocate(chart: Chart, prefix: RelocationPrefix, source: UnwrapSource): Promise<RelocatedChart> {
  return relocateChart(chart, {
    prefix,
    annotationKeys: source.annotationsKey === undefined ? IMAGE_ANNOTATION_KEYS : [source.annotationsKey],
    valuesFiles: source.valuesFiles,
    repackSubchart: async (subchart, tree) => packChartArchive(subchart.metadata.name, tree, { mtimeSeconds: 0 }),
  });
}

/** A light wrap names images without holding them. */
function requireContent({ lock, path }: OpenedWrap, { skipImages }: UnwrapSource): void {
  if (skipImages || lock.images.length === 0 || lock.images.some(({ digests }) => digests.length > 0)) return;
  throw new DtError('DT_WRAP_INCOMPLETE', `${path} is a light wrap: it names images but does not hold them`, {
    hints: ['{bin} unwrap … --skip-pull-images to push the chart alone'],
  });
}

/** When the wrap was made: a chart that is unwrapped twice keeps its digest. */
function creationTime({ lock }: OpenedWrap, context: RunContext): Date {
  const generatedAt = new Date(lock.metadata['generatedAt'] ?? '');
  const isFixed = readSourceDateSeconds(context.environment) !== undefined || Number.isNaN(generatedAt.getTime());
  return isFixed ? generationTime(context.environment) : generatedAt;
}

function describeWrap({ lock }: OpenedWrap): string {
  return `${lock.chart.name} ${lock.chart.version}, ${formatCount(lock.images.length, 'image')}`;
}

function describeProblems({ refused, unplaced }: RelocatedChart): string[] {
  return [
    ...refused.map(
      ({ file, line, path, image }) => `${file}:${String(line)} ${path} (${image}) could not be rewritten in place`,
    ),
    ...(unplaced.length === 0
      ? []
      : [
          `no values file names ${unplaced.join(', ')}: if a template holds the name itself, it still points to the source`,
        ]),
  ];
}
