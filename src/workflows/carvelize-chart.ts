import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { findChartFile, type ChartEntry } from '../domain/chart/chart-tree.ts';
import { DtError, systemErrorCode } from '../domain/errors.ts';
import { LOCK_FILE_NAME, type ImagesLock } from '../domain/lock/images-lock.ts';
import { quoteShellWord } from '../domain/shell-word.ts';
import { replaceFiles, type FileReplacement } from '../files/replace-files.ts';
import { describeChartBundle } from './carvel/describe-chart-bundle.ts';
import { fetchChart } from './charts/fetch-chart.ts';
import type { RunContext } from './context.ts';
import { lockChart } from './locking/lock-chart.ts';
import type { LockOptions } from './locking/lock-images.ts';
import { searchImages } from './locking/search-images.ts';

const NEW_LOCK_MODE = 0o644;

export interface CarvelizeChartOptions extends LockOptions {
  /** A chart folder. */
  readonly chart: string;
}

export interface CarvelizeChartResult {
  readonly chart: { readonly name: string; readonly version: string };
  readonly lock: ImagesLock;
  /** The files that were written; empty if all said already what they should. */
  readonly files: readonly string[];
}

/**
 * Makes the folder of a chart a bundle that imgpkg can push, copy and pull: the lock that it has is verified, or one is made, and
 * `.imgpkg/` is written beside it. All files are written or none. Throws DT_FILE_NOT_FOUND, DT_USAGE for a packaged chart, and
 * what locking and writing throw.
 */
export async function carvelizeChart(
  options: CarvelizeChartOptions,
  context: RunContext,
): Promise<CarvelizeChartResult> {
  const { chart: folder, annotationsKey } = options;
  await requireFolder(folder);
  const { chart } = await fetchChart({ location: folder }, context);
  const chosen = await searchImages(chart, options, context);
  const locked = await lockChart(chart, chosen, options, context);
  const { name, version } = chart.metadata;
  if (locked.lock.images.length === 0) {
    context.reporter.warn(`no image was found in the chart ${name}: the bundle holds the chart only`);
  }
  const entries: readonly Pick<ChartEntry, 'path' | 'mode' | 'bytes'>[] = [
    { path: LOCK_FILE_NAME, mode: NEW_LOCK_MODE, bytes: new TextEncoder().encode(locked.lockText) },
    ...describeChartBundle(chart, locked, annotationsKey),
  ];
  const replacements = entries.flatMap(({ path, mode, bytes }): FileReplacement[] => {
    const expectedBytes = findChartFile(chart.tree, path)?.bytes;
    // The lock that was verified is the user's: it stays as it is.
    const isKept =
      expectedBytes !== undefined && (path === LOCK_FILE_NAME || Buffer.compare(expectedBytes, bytes) === 0);
    return isKept ? [] : [{ path: join(folder, path), bytes, expectedBytes, newMode: mode }];
  });
  if (replacements.length > 0) await replaceFiles(folder, replacements);
  return { chart: { name, version }, lock: locked.lock, files: replacements.map(({ path }) => path) };
}

/** imgpkg makes bundles of folders. */
async function requireFolder(path: string): Promise<void> {
  try {
    if ((await stat(path)).isDirectory()) return;
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    throw new DtError('DT_FILE_NOT_FOUND', `there is no chart folder at "${path}"`, { cause: error });
  }
  throw new DtError('DT_USAGE', `${path} is a file: a Carvel bundle is made of a chart folder`, {
    hints: [`tar -xzf ${quoteShellWord(path)}`, `{bin} wrap ${quoteShellWord(path)} --add-carvel-bundle`],
  });
}
