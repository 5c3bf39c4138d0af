import { packChartArchive } from '../archive/chart-archive.ts';
import { loadChart } from '../archive/load-chart.ts';
import { IMAGE_ANNOTATION_KEYS } from '../domain/chart/images-annotation.ts';
import { chartTag } from '../domain/chart/chart-manifest.ts';
import type { Chart } from '../domain/chart/chart.ts';
import { DtError } from '../domain/errors.ts';
import { formatCount } from '../domain/format-quantity.ts';
import { formatLockPlatform } from '../domain/lock/images-lock.ts';
import { formatReference, formatRepository, isRepository, isTag, type Reference } from '../domain/oci/reference.ts';
import { relocateChart, type RelocatedChart } from '../domain/relocation/relocate-chart.ts';
import { parseRelocationPrefix, type RelocationPrefix } from '../domain/relocation/relocation-prefix.ts';
import type { RunContext } from './context.ts';
import { openWrap } from './open-wrap.ts';
import type { OpenedWrap } from './opened-wrap.ts';
import { planImagePushes, pushImages, type ImagePush, type PushSummary } from './push-images.ts';
import { pushChart } from './push-chart.ts';
import { openRepository } from './registry-stores.ts';
import { generationTime, readSourceDateSeconds } from './source-date.ts';

export interface UnwrapChartOptions {
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
  /** Do not ask. */
  readonly assumeYes: boolean;
}

export interface UnwrapChartResult {
  readonly chart: { readonly name: string; readonly version: string };
  /** False if the answer was no: then nothing was pushed. */
  readonly pushed: boolean;
  readonly images: readonly {
    readonly source: string;
    readonly target: string;
    readonly digest: string;
    readonly platforms: readonly string[];
  }[];
  readonly changes: RelocatedChart['changes'];
  /** Present if pushed. */
  readonly chartReference?: string;
  readonly chartDigest?: string;
  readonly installCommand?: string;
  readonly summary?: PushSummary;
}

/**
 * Pushes the images and the relocated chart of a wrap. Everything that can be checked is checked before the first byte
 * is sent; the chart goes last, after every tag was read back from the target. Throws DT_BAD_PREFIX,
 * DT_RELOCATION_COLLISION, the codes of damaged wraps, and the registry errors.
 */
export async function unwrapChart(options: UnwrapChartOptions, context: RunContext): Promise<UnwrapChartResult> {
  const prefix = parseRelocationPrefix(options.prefix);
  const chartPrefix = options.pushChartUrl === undefined ? prefix : parseRelocationPrefix(options.pushChartUrl);
  const { reporter } = context;
  const prepared = await reporter.section(`Unwrapping "${options.file}"`, async () => {
    const wrap = await reporter.step('Reading the wrap', async () => openWrap(options.file, context), describeWrap);
    try {
      return await prepare(wrap, prefix, options, context);
    } catch (error) {
      await wrap.close();
      throw error;
    }
  });
  try {
    const target = chartTarget(prepared.chart, chartPrefix);
    const outline = describePrepared(prepared);
    if (!options.assumeYes && !(await confirmPush(prepared, target, context))) return { ...outline, pushed: false };
    return { ...outline, ...(await reporter.section('Pushing', async () => push(prepared, target, context))) };
  } finally {
    await prepared.wrap.close();
  }
}

/** Everything that is known, and checked, before the first byte is sent. */
interface PreparedUnwrap {
  readonly wrap: OpenedWrap;
  readonly chart: Chart;
  readonly relocated: RelocatedChart;
  readonly pushes: readonly ImagePush[];
}

async function prepare(
  wrap: OpenedWrap,
  prefix: RelocationPrefix,
  options: UnwrapChartOptions,
  context: RunContext,
): Promise<PreparedUnwrap> {
  const { reporter } = context;
  const chart = await loadChart(wrap.chartTree, options.file);
  requireContent(wrap, options);
  const relocated = await reporter.step(
    'Relocating the chart',
    async () => relocate(chart, prefix, options),
    ({ changes }) => `Helm chart relocated (${formatCount(changes.length, 'reference')} changed)`,
  );
  for (const warning of describeProblems(relocated)) reporter.warn(warning);
  const pushes = options.skipImages ? [] : await planImagePushes(wrap, prefix, context);
  return { wrap, chart, relocated, pushes };
}

async function push(
  { wrap, relocated, pushes }: PreparedUnwrap,
  target: Reference,
  context: RunContext,
): Promise<Pick<UnwrapChartResult, 'pushed' | 'summary' | 'chartReference' | 'chartDigest' | 'installCommand'>> {
  const summary = await pushImages(pushes, context);
  const moved = await loadChart(relocated.tree, wrap.path);
  const chartReference = formatReference(target);
  const chartDigest = await context.reporter.step(
    'Pushing the chart',
    async () => {
      const store = openRepository(context, target);
      return pushChart(
        { metadata: moved.metadata, tree: moved.tree, createdAt: creationTime(wrap, context) },
        store,
        context,
      );
    },
    () => `Helm chart pushed to ${chartReference}`,
  );
  const isPlainHttp = await context.clients.forRegistry(target.registry).usesPlainHttp(context.signal);
  const installCommand =
    `helm install oci://${formatRepository(target)} --version ${moved.metadata.version} --generate-name` +
    (isPlainHttp ? ' --plain-http' : '');
  return { pushed: true, summary, chartReference, chartDigest, installCommand };
}

/** Throws DT_CHART_INVALID for a name or version that no registry takes, or that would lead to another path of it. */
function chartTarget(chart: Chart, prefix: RelocationPrefix): Reference {
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

function describePrepared({ chart, pushes, relocated }: PreparedUnwrap): Omit<UnwrapChartResult, 'pushed'> {
  const { name, version } = chart.metadata;
  return { chart: { name, version }, images: pushes.map(describePush), changes: relocated.changes };
}

async function relocate(chart: Chart, prefix: RelocationPrefix, options: UnwrapChartOptions): Promise<RelocatedChart> {
  return relocateChart(chart, {
    prefix,
    annotationKeys: options.annotationsKey === undefined ? IMAGE_ANNOTATION_KEYS : [options.annotationsKey],
    valuesFiles: options.valuesFiles,
    repackSubchart: async (subchart, tree) => packChartArchive(subchart.metadata.name, tree, { mtimeSeconds: 0 }),
  });
}

/** A light wrap names images without holding them. */
function requireContent({ lock, path }: OpenedWrap, { skipImages }: UnwrapChartOptions): void {
  if (skipImages || lock.images.length === 0 || lock.images.some(({ digests }) => digests.length > 0)) return;
  throw new DtError('DT_WRAP_INCOMPLETE', `${path} is a light wrap: it names images but does not hold them`, {
    hints: ['{bin} unwrap … --skip-pull-images to push the chart alone'],
  });
}

/** Asked outside of any section, so that a live display does not draw over the question. */
async function confirmPush({ pushes }: PreparedUnwrap, chart: Reference, context: RunContext): Promise<boolean> {
  const { reporter, prompter } = context;
  reporter.info('To be pushed:');
  for (const { target } of pushes) reporter.info(`  ${formatReference(target)}`);
  reporter.info(`  ${formatReference(chart)} (chart)`);
  return prompter.confirm(`Push ${formatCount(pushes.length, 'image')} and the chart?`);
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

function describePush({ image, target, graph }: ImagePush): UnwrapChartResult['images'][number] {
  return {
    source: image.image,
    target: formatReference(target),
    digest: graph.root.descriptor.digest,
    platforms: image.digests.map(formatLockPlatform),
  };
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
