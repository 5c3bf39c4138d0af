import { readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { packChartArchive, unpackChartArchive } from '../archive/chart-archive.ts';
import { readChartFolder } from '../archive/chart-folder.ts';
import { loadChart } from '../archive/load-chart.ts';
import { IMAGE_ANNOTATION_KEYS } from '../domain/chart/images-annotation.ts';
import { MAX_CHART_BYTES, type ChartTree } from '../domain/chart/chart-tree.ts';
import { DtError, systemErrorCode } from '../domain/errors.ts';
import { formatCount } from '../domain/format-quantity.ts';
import { parseImageField } from '../domain/discovery/image-text.ts';
import { formatRepository, type Reference } from '../domain/oci/reference.ts';
import type { RelocatedChart } from '../domain/relocation/relocate-chart.ts';
import {
  findRelocationCollisions,
  toCollisionError,
  type RelocationCollision,
} from '../domain/relocation/relocation-collisions.ts';
import { isUnderPrefix, relocateReference } from '../domain/relocation/relocate-reference.ts';
import type { RelocationRule } from '../domain/relocation/relocation-rule.ts';
import type { RelocationProof } from '../domain/proof/relocation-proof.ts';
import type { RelocationChange, RelocationRefusal } from '../domain/relocation/relocation-change.ts';
import { requireValuesMaps } from '../domain/relocation/require-values-maps.ts';
import { formatOciPrefix } from '../domain/relocation/relocation-prefix.ts';
import { replaceFiles, type FileReplacement } from '../files/replace-files.ts';
import { warnStaleProvenance } from './charts/warn-stale-provenance.ts';
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
 * Relocates a chart on disk: all files of a folder or none, an archive as a whole. What is edited meanwhile is not overwritten.
 * Throws DT_FILE_NOT_FOUND, DT_FILE_UNREADABLE, DT_BAD_PREFIX, DT_RELOCATION_COLLISION, DT_YAML_INVALID, DT_OUTPUT_FAILED, DT_DISK_FULL and as
 * `relocateProven`.
 */
export async function relocateLocalChart(
  options: RelocateLocalChartOptions,
  context: RunContext,
): Promise<RelocateLocalChartResult> {
  const { path, valuesFiles, annotationsKey, keepTemplates, isCheck } = options;
  const rule = readRelocationRule(options);
  const render = readRenderSettings(options.render);
  const archive = (await isFile(path)) ? await readArchive(path) : undefined;
  const tree = archive === undefined ? await readChartFolder(path) : await unpackChartArchive(archive, path);
  const chart = await loadChart(tree, path);
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
    ({ relocated: { changes }, proof: { renderCount } }) =>
      `${formatCount(changes.length, 'change')}, ${formatCount(renderCount, 'rendering')}`,
  );
  checkCollisions(proof, relocated, rule, context);
  const isWritten = !isCheck && relocated.tree !== chart.tree;
  if (isWritten && archive !== undefined) {
    const mtimeSeconds = readSourceDateSeconds(context.environment) ?? 0;
    const bytes = await packChartArchive(chart.metadata.name, relocated.tree, { mtimeSeconds });
    await replaceFiles(dirname(await realpath(path)), [{ path, bytes, expectedBytes: archive }]);
    await warnStaleProvenance(path, context);
  } else if (isWritten) {
    await replaceFiles(
      path,
      listChanged(chart.tree, relocated.tree).map((file) => ({ ...file, path: join(path, file.path) })),
    );
  }
  const { name, version } = chart.metadata;
  return { chart: { name, version }, changes: relocated.changes, refused: relocated.refused, proof, isWritten };
}

/**
 * Two images under one name: without a registry nobody knows whether they are the same. Those that only values files name are
 * refused where no rendering says what the chart uses, and told where one does; so is one that has the name already, mostly the same
 * image from an earlier run. Throws DT_RELOCATION_COLLISION.
 */
function checkCollisions(
  { state, moved, left }: RelocationProof,
  { declared, found }: RelocatedChart,
  rule: RelocationRule,
  { reporter }: RunContext,
): void {
  const rendered = [...moved.map(({ from }) => from), ...left.map(({ reference }) => reference)];
  const used = [...declared, ...rendered.flatMap((text) => parseImageField(text) ?? [])];
  const moving = (state === 'unproven' ? [...used, ...found] : used).filter(
    (reference) => !isUnderPrefix(reference, rule),
  );
  const [refused] = findCollisions(moving, rule);
  if (refused !== undefined) throw toCollisionError(refused, rule);
  for (const collision of findCollisions([...used, ...found], rule)) {
    reporter.warn(toCollisionError(collision, rule).message);
  }
}

function findCollisions(references: readonly Reference[], rule: RelocationRule): readonly RelocationCollision[] {
  return findRelocationCollisions(references, (reference) => relocateReference(reference, rule)).filter(
    ({ sources }) => new Set(sources.map(formatRepository)).size > 1,
  );
}

function listChanged(before: ChartTree, after: ChartTree): FileReplacement[] {
  const old = new Map(before.map(({ path, bytes }) => [path, bytes]));
  return after.flatMap(({ path, type, bytes }) => {
    const expectedBytes = old.get(path);
    if (expectedBytes === undefined) throw new TypeError(`the relocation made ${path}`);
    return type === 'file' && expectedBytes !== bytes ? [{ path, bytes, expectedBytes }] : [];
  });
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

async function readArchive(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new DtError('DT_FILE_UNREADABLE', `cannot read ${path}`, { cause: error });
  }
}
