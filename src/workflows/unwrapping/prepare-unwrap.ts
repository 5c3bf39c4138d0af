import { DtError } from '../../domain/errors.ts';
import { formatCount } from '../../domain/format-quantity.ts';
import { parseRelocationPrefix } from '../../domain/relocation/relocation-prefix.ts';
import type { RelocationRule } from '../../domain/relocation/relocation-rule.ts';
import type { ReplacedIndexes } from '../../domain/relocation/replaced-indexes.ts';
import type { RunContext } from '../context.ts';
import { openInput, type WrapInput } from '../opening/open-input.ts';
import type { OpenedFolder, OpenedWrap } from '../opening/opened-wrap.ts';
import { readRenderSettings, type RenderSettings } from '../discovery/read-values-files.ts';
import { readRelocationRule, type RelocationOptions } from '../relocating/read-relocation-rule.ts';
import { planImagePushes, type ImagePush, type IndexMode } from './plan-image-pushes.ts';
import type { ChartMode } from './chart-plan.ts';
import { prepareChart, type PreparedChart } from './prepare-chart.ts';
import { refuseChartCollisions } from './refuse-collisions.ts';

/** What is unwrapped, and where to. */
export interface UnwrapSource extends RelocationOptions, WrapInput {
  /** Where the charts go, if not under the prefix. */
  readonly pushChartUrl?: string | undefined;
  /** Unwrap these charts only, named `NAME` or `NAME-VERSION`; default: all. */
  readonly chartNames?: readonly string[];
  /** Default: `rewrite`. */
  readonly chartMode?: ChartMode;
  /** Default: `auto`. */
  readonly indexMode?: IndexMode;
  /** Values files inside the chart whose images are relocated. */
  readonly valuesFiles: readonly string[];
  readonly annotationsKey?: string | undefined;
  /** How the charts are rendered for the proof; default: by their own values. The values files lie outside of them. */
  readonly render?: RenderSettings;
  /** Leave references that stand in templates, and only name them. */
  readonly keepTemplates?: boolean;
  /** Let the dependencies of the charts come from the place that the charts go to. */
  readonly rewritesDependencies?: boolean;
  /** Push the charts only. */
  readonly skipImages: boolean;
  /** Leave signatures, attestations and what else is attached where it is. */
  readonly skipAttached?: boolean;
}

/** Everything that is known, and checked, before any registry is asked. The wrap must be closed. */
export interface PreparedUnwrap {
  readonly wrap: OpenedWrap;
  /** Where images go, also those of a base. */
  readonly rule: RelocationRule;
  readonly charts: readonly PreparedChart[];
  readonly pushes: readonly ImagePush[];
  /** Images that are not pushed, but may have another index in the target. */
  readonly skipped: readonly ImagePush[];
}

/**
 * Reads a wrap, relocates its charts and plans what goes where, offline. Throws DT_RELOCATION_COLLISION, the codes of
 * `readRelocationRule` and those of damaged wraps.
 */
export async function prepareUnwrap(source: UnwrapSource, context: RunContext): Promise<PreparedUnwrap> {
  const rule = readRelocationRule(source);
  const chartPrefix = source.pushChartUrl === undefined ? rule : parseRelocationPrefix(source.pushChartUrl);
  const render = source.render === undefined ? undefined : readRenderSettings(source.render);
  const wrap = await context.reporter.step(
    'Reading the wrap',
    async () => openInput(source, context),
    ({ folders }) => folders.map(describeFolder).join('; '),
  );
  try {
    const folders = selectFolders(wrap, source);
    for (const folder of folders) requireContent(folder, wrap.path, source);
    const plan = { rule, indexMode: source.indexMode ?? 'auto' };
    const hasFiltered = wrap.document?.images.some(({ isFiltered }) => isFiltered === true) === true;
    const planned = source.skipImages && !hasFiltered ? [] : await planImagePushes(wrap, folders, plan, context);
    const possibleReplacements = findReplacements(planned);
    const charts: PreparedChart[] = [];
    for (const folder of folders) {
      if (folder.chart === undefined) continue;
      const options = {
        ...source,
        mode: source.chartMode ?? 'rewrite',
        prefix: rule,
        render,
        chartPrefix,
        possibleReplacements,
      };
      charts.push(await prepareChart(folder, folder.chart, options, context));
    }
    refuseChartCollisions(
      folders.flatMap(({ lock }) => lock.images),
      charts,
      rule,
    );
    const withoutAttached = source.skipAttached === true;
    return {
      wrap,
      rule,
      charts: withoutAttached ? charts.map((chart) => ({ ...chart, attached: [] })) : charts,
      pushes: source.skipImages ? [] : withoutAttached ? planned.map((push) => ({ ...push, attached: [] })) : planned,
      skipped: source.skipImages ? planned.filter((push) => findReplacements([push]).size > 0) : [],
    };
  } catch (error) {
    await wrap.close();
    throw error;
  }
}

/** The folders of the charts that were asked for. Throws DT_USAGE for a wrap of single images, and naming the charts that there are. */
function selectFolders({ folders, path }: OpenedWrap, { chartNames = [] }: UnwrapSource): readonly OpenedFolder[] {
  if (folders.some(({ chart }) => chart === undefined)) {
    throw new DtError('DT_USAGE', `${path} is a wrap of single images, without a chart`, {
      hints: [`{bin} images unwrap ${path} …`],
    });
  }
  if (chartNames.length === 0) return folders;
  const isNamed = ({ name, lock }: OpenedFolder, wanted: string): boolean => [name, lock.chart.name].includes(wanted);
  const unknown = chartNames.find((wanted) => !folders.some((folder) => isNamed(folder, wanted)));
  if (unknown !== undefined) {
    throw new DtError('DT_USAGE', `${path} has no chart ${unknown}`, {
      detail: `It has ${folders.map(({ name }) => name).join(', ')}.`,
    });
  }
  return folders.filter((folder) => chartNames.some((wanted) => isNamed(folder, wanted)));
}

/** A light wrap names images without holding them. */
function requireContent({ lock, hasContent }: OpenedFolder, path: string, { skipImages }: UnwrapSource): void {
  if (skipImages || lock.images.length === 0 || hasContent) return;
  throw new DtError('DT_WRAP_INCOMPLETE', `${path} is a light wrap: it names images but does not hold them`, {
    hints: ['{bin} unwrap … --skip-pull-images to push the chart alone'],
  });
}

/** The indexes that the target will, or may, hold under another digest. */
function findReplacements(pushes: readonly ImagePush[]): ReplacedIndexes {
  return new Map(
    pushes.flatMap(({ sourceDigest, graph, fallback }) => {
      const { digest } = (fallback ?? graph).root.descriptor;
      return sourceDigest === undefined || sourceDigest === digest ? [] : [[sourceDigest, digest] as const];
    }),
  );
}

function describeFolder({ lock }: OpenedFolder): string {
  const { name, version } = lock.chart;
  const images = formatCount(lock.images.length, 'image');
  return name === '' ? images : `${name} ${version}, ${images}`;
}
