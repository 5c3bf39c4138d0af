import { loadChart } from '../../archive/load-chart.ts';
import type { AttachedGraph } from '../../content/image-content.ts';
import { chartTag } from '../../domain/chart/chart-manifest.ts';
import { provenanceApplies } from '../../domain/chart/chart-origin.ts';
import type { Chart } from '../../domain/chart/chart.ts';
import { DtError } from '../../domain/errors.ts';
import { formatCount } from '../../domain/format-quantity.ts';
import { isMetadataTag } from '../../domain/oci/attached-artifact.ts';
import { isRepository, isTag, type Reference } from '../../domain/oci/reference.ts';
import type { RelocatedChart } from '../../domain/relocation/relocate-chart.ts';
import type { RelocationPrefix } from '../../domain/relocation/relocation-prefix.ts';
import { NO_REPLACED_INDEXES, type ReplacedIndexes } from '../../domain/relocation/replaced-indexes.ts';
import { buildValuesOverlay } from '../../domain/relocation/values-overlay.ts';
import type { RelocationProof } from '../../domain/proof/relocation-proof.ts';
import type { RunContext } from '../context.ts';
import type { OpenedChart, OpenedFolder } from '../opening/opened-wrap.ts';
import type { ProvenRelocation } from '../relocating/relocate-proven.ts';
import type { ChartPlanOptions, ChartMode } from './chart-plan.ts';
import { packChart, packUntouched, type PackedChart } from './pack-chart.ts';
import { relocateWrappedChart, reportProof } from './relocate-wrapped-chart.ts';
import { generationTime, readSourceDateSeconds } from '../source-date.ts';

/** A chart in the form that is pushed. */
export interface FinishedChart {
  readonly packed: PackedChart;
  readonly changes: RelocatedChart['changes'];
  /** The text of the values file that goes with an untouched chart; undefined if it needs none. */
  readonly overlay: string | undefined;
}

/** Everything about a chart that is known before any registry is asked. */
export interface PreparedChart {
  readonly chart: Chart;
  readonly target: Reference;
  readonly mode: ChartMode;
  /** The chart if no index is replaced. */
  readonly finished: FinishedChart;
  /** What renderings say of its relocation; absent where it is kept as it came. */
  readonly proof?: RelocationProof;
  /** What the tag of the chart may hold afterwards. */
  readonly candidates: readonly PackedChart[];
  /** The chart for the indexes that were replaced in the target. */
  finish(replaced: ReplacedIndexes): Promise<FinishedChart>;
  /** What is attached to the chart and goes along. */
  readonly attached: readonly AttachedGraph[];
}

/**
 * Relocates a chart, or takes it as it came, and packs it. Warns of what could not be rewritten and of signatures that do not
 * hold any more. Throws the codes of `relocateChart` and of damaged charts.
 */
export async function prepareChart(
  { name, lock }: Pick<OpenedFolder, 'name' | 'lock'>,
  opened: OpenedChart,
  options: ChartPlanOptions,
  context: RunContext,
): Promise<PreparedChart> {
  const { reporter } = context;
  const { mode } = options;
  const chart = await loadChart(opened.tree, name);
  const createdAt = creationTime(lock.metadata['generatedAt'], context);
  const origin = await opened.readOrigin(context);
  const attached = await opened.readAttached(context);
  const untouched = mode === 'rewrite' ? undefined : await packUntouched({ ...chart, createdAt }, origin, context);
  let proven: ProvenRelocation | undefined;
  // The chart is finished once for each set of indexes that it may be for.
  const warnedPaths = new Set<string>();
  const finish = async (
    replaced: ReplacedIndexes,
  ): Promise<FinishedChart & { readonly relocated?: RelocatedChart; readonly proof?: RelocationProof }> => {
    if (untouched !== undefined && mode === 'keep') return { packed: untouched, changes: [], overlay: undefined };
    proven ??= await relocateWrappedChart(chart, options, context);
    const relocated = replaced.size === 0 ? proven.relocated : await proven.relocateFor(replaced);
    const moved = await loadChart(relocated.tree, name);
    const { changes } = relocated;
    if (untouched === undefined) {
      const packed = await packChart({ metadata: moved.metadata, tree: moved.tree, createdAt }, context);
      return { packed, changes, overlay: undefined, relocated, proof: proven.proof };
    }
    const { text, unexpressed } = buildValuesOverlay(chart, moved, options.prefix);
    for (const path of unexpressed.filter((candidate) => !warnedPaths.has(candidate))) {
      warnedPaths.add(path);
      reporter.warn(`no values file can set ${path}: the chart keeps its own value there`);
    }
    return { packed: untouched, changes, overlay: text, relocated, proof: proven.proof };
  };
  const finished = await reporter.step(
    mode === 'keep' ? 'Packing the chart' : 'Relocating the chart',
    async () => finish(NO_REPLACED_INDEXES),
    ({ changes }) =>
      mode === 'keep'
        ? `Helm chart ${chart.metadata.name} kept as it is`
        : `Helm chart ${chart.metadata.name} relocated (${formatCount(changes.length, 'reference')} changed)`,
  );
  const { proof } = finished;
  if (finished.relocated !== undefined) {
    for (const text of describeProblems(finished.relocated, proof)) reporter.warn(text);
  }
  if (proof !== undefined) reportProof(proof, lock, context);
  if (mode === 'rewrite') {
    const keepsProvenance =
      origin.provenance === undefined || finished.packed.blobs.some(({ bytes }) => provenanceApplies(origin, bytes));
    for (const text of describeLosses(!keepsProvenance, attached)) reporter.warn(text);
  }
  if (mode === 'keep') {
    reporter.info(
      'The chart still names the source: the cluster needs a mirror configuration, or --chart-mode overlay',
    );
  }
  const candidates = [finished.packed];
  if (options.possibleReplacements.size > 0) candidates.push((await finish(options.possibleReplacements)).packed);
  return {
    chart,
    target: findChartTarget(chart, options.chartPrefix),
    mode,
    finished,
    ...(proof === undefined ? {} : { proof }),
    candidates,
    finish,
    attached: mode === 'rewrite' ? attached.filter((item) => !isBoundToManifest(item, attached)) : attached,
  };
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

/** When the wrap was made: a chart that is unwrapped twice keeps its digest. */
function creationTime(generatedText: string | undefined, context: RunContext): Date {
  const generatedAt = new Date(generatedText ?? '');
  const isFixed = readSourceDateSeconds(context.environment) !== undefined || Number.isNaN(generatedAt.getTime());
  return isFixed ? generationTime(context.environment) : generatedAt;
}

/** What a rendering has proven needs no guess about templates. */
function describeProblems({ refused, unplaced }: RelocatedChart, proof: RelocationProof | undefined): string[] {
  return [
    ...refused.map(
      ({ file, line, path, image }) => `${file}:${String(line)} ${path} (${image}) could not be rewritten in place`,
    ),
    ...(unplaced.length === 0 || proof?.state === 'proven'
      ? []
      : [
          `no values file names ${unplaced.join(', ')}: if a template holds the name itself, it still points to the source`,
        ]),
  ];
}

/** What a rewritten chart loses. */
function describeLosses(losesProvenance: boolean, attached: readonly AttachedGraph[]): string[] {
  const lostCount = attached.filter((item) => isBoundToManifest(item, attached)).length;
  const lost = [
    ...(losesProvenance ? ['its provenance'] : []),
    ...(lostCount > 0 ? [formatCount(lostCount, 'signature or other artifact', 'signatures and other artifacts')] : []),
  ];
  if (lost.length === 0) return [];
  return [
    `the chart is rewritten, so ${lost.join(' and ')} of the original do not apply to it (--chart-mode keep or overlay leaves it untouched)`,
  ];
}

/** False for the metadata of the Go dt, which is found by the version of the chart, and for what is attached to it. */
function isBoundToManifest({ artifact }: AttachedGraph, all: readonly AttachedGraph[]): boolean {
  const metadata = new Set(
    all.filter(({ artifact: { tag = '' } }) => isMetadataTag(tag)).map((item) => item.artifact.digest),
  );
  return !metadata.has(artifact.digest) && !metadata.has(artifact.subject);
}
