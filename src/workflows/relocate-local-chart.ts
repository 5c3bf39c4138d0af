import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { packChartArchive, unpackChartArchive } from '../archive/chart-archive.ts';
import { readChartFolder } from '../archive/chart-folder.ts';
import { loadChart } from '../archive/load-chart.ts';
import { IMAGE_ANNOTATION_KEYS } from '../domain/chart/images-annotation.ts';
import { MAX_CHART_BYTES, type ChartTree } from '../domain/chart/chart-tree.ts';
import { DtError, systemErrorCode } from '../domain/errors.ts';
import { formatCount } from '../domain/format-quantity.ts';
import type { RelocationProof } from '../domain/proof/relocation-proof.ts';
import type { RelocationChange, RelocationRefusal } from '../domain/relocation/relocation-change.ts';
import { requireValuesMaps } from '../domain/relocation/require-values-maps.ts';
import { formatOciPrefix } from '../domain/relocation/relocation-prefix.ts';
import { replaceFiles } from '../files/replace-files.ts';
import type { RunContext } from './context.ts';
import { readRenderSettings, type RenderSettings } from './discovery/read-values-files.ts';
import { readRelocationRule, type RelocationOptions } from './relocating/read-relocation-rule.ts';
import { relocateProven } from './relocating/relocate-proven.ts';
import { readSourceDateSeconds } from './source-date.ts';

export interface RelocateLocalChartOptions extends RelocationOptions {
  /** A chart folder or a packaged chart. */
  readonly path: string;
  /** Values files inside the chart whose images are relocated. */
  readonly valuesFiles: readonly string[];
  readonly annotationsKey?: string | undefined;
  /** How the chart is rendered; the values files lie outside of it and are not changed. */
  readonly render: RenderSettings;
  readonly keepTemplates: boolean;
  /** Let dependencies come from the place that the images go to. */
  readonly rewritesDependencies?: boolean;
  /** Change nothing. */
  readonly isCheck: boolean;
}

export interface RelocateLocalChartResult {
  readonly chart: { readonly name: string; readonly version: string };
  readonly changes: readonly RelocationChange[];
  /** Images that values files name, and that cannot be rewritten in place. */
  readonly refused: readonly RelocationRefusal[];
  readonly proof: RelocationProof;
  /** False if nothing was to be changed, or nothing should be. */
  readonly isWritten: boolean;
}

/**
 * Relocates a chart on disk: all files of a folder or none, an archive as a whole. Throws DT_FILE_NOT_FOUND,
 * DT_FILE_UNREADABLE, DT_BAD_PREFIX, DT_YAML_INVALID, DT_OUTPUT_FAILED, DT_DISK_FULL and as `relocateProven`.
 */
export async function relocateLocalChart(
  options: RelocateLocalChartOptions,
  context: RunContext,
): Promise<RelocateLocalChartResult> {
  const { path, valuesFiles, annotationsKey, keepTemplates, isCheck } = options;
  const rule = readRelocationRule(options);
  const render = await readRenderSettings(options.render);
  const isPacked = await isFile(path);
  const chart = await loadChart(isPacked ? await readArchive(path) : await readChartFolder(path), path);
  requireValuesMaps(chart, valuesFiles);
  const { relocated, proof } = await context.reporter.step(
    'Relocating the chart',
    async () =>
      relocateProven(
        chart,
        {
          prefix: rule,
          annotationKeys: annotationsKey === undefined ? IMAGE_ANNOTATION_KEYS : [annotationsKey],
          valuesFiles,
          repackSubchart: async ({ metadata }, tree) => packChartArchive(metadata.name, tree, { mtimeSeconds: 0 }),
          render,
          keepTemplates,
          dependencyRepository: options.rewritesDependencies === true ? formatOciPrefix(rule) : undefined,
        },
        context,
      ),
    ({ relocated: { changes }, proof: { renders } }) =>
      `${formatCount(changes.length, 'change')}, ${formatCount(renders, 'rendering')}`,
  );
  const isWritten = !isCheck && relocated.tree !== chart.tree;
  if (isWritten && isPacked) {
    const mtimeSeconds = readSourceDateSeconds(context.environment) ?? 0;
    const bytes = await packChartArchive(chart.metadata.name, relocated.tree, { mtimeSeconds });
    await replaceFiles([{ path, bytes }]);
  } else if (isWritten) {
    await replaceFiles(
      listChanged(chart.tree, relocated.tree).map((file) => ({ ...file, path: join(path, file.path) })),
    );
  }
  const { name, version } = chart.metadata;
  return { chart: { name, version }, changes: relocated.changes, refused: relocated.refused, proof, isWritten };
}

function listChanged(before: ChartTree, after: ChartTree): { path: string; bytes: Uint8Array }[] {
  const old = new Map(before.map(({ path, bytes }) => [path, bytes]));
  return after.flatMap(({ path, type, bytes }) =>
    type === 'file' && old.get(path) !== bytes ? [{ path, bytes }] : [],
  );
}

async function isFile(path: string): Promise<boolean> {
  try {
    const stats = await stat(path);
    if (stats.isFile() && stats.size > MAX_CHART_BYTES) {
      throw new DtError('DT_CHART_TOO_LARGE', `${path} is larger than a chart may be`);
    }
    return stats.isFile();
  } catch (error) {
    if (error instanceof DtError) throw error;
    if (systemErrorCode(error) !== 'ENOENT') {
      throw new DtError('DT_FILE_UNREADABLE', `cannot read ${path}`, { cause: error });
    }
    throw new DtError('DT_FILE_NOT_FOUND', `there is no chart ${path}`, { cause: error });
  }
}

async function readArchive(path: string): Promise<ChartTree> {
  try {
    return await unpackChartArchive(await readFile(path), path);
  } catch (error) {
    if (error instanceof DtError) throw error;
    throw new DtError('DT_FILE_UNREADABLE', `cannot read ${path}`, { cause: error });
  }
}
