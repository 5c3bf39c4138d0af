import { join } from 'node:path';
import { LOCK_FILE_NAME, type ImagesLock } from '../domain/lock/images-lock.ts';
import { writeFileAtomically } from '../files/atomic-write.ts';
import type { RunContext } from './context.ts';
import { fetchChart } from './charts/fetch-chart.ts';
import { findChartPlace } from './locking/chart-lock-file.ts';
import { lockImages, type LockOptions } from './locking/lock-images.ts';
import { reportAdded, searchImages } from './locking/search-images.ts';

export interface WriteChartLockOptions extends LockOptions {
  /** A folder or a .tgz. */
  readonly chart: string;
  /** Default: `Images.lock` in the chart folder, or beside the archive. */
  readonly outputFile?: string | undefined;
  /** Write no file. */
  readonly isDocumentOnly?: boolean;
}

export interface WriteChartLockResult {
  readonly file: string;
  readonly lock: ImagesLock;
  /** The images that no annotation names. */
  readonly added: readonly string[];
}

/** Locks the images of a chart and writes the lock, replacing what was there. */
export async function writeChartLock(
  options: WriteChartLockOptions,
  context: RunContext,
): Promise<WriteChartLockResult> {
  const { chart } = await fetchChart({ location: options.chart }, context);
  const chosen = await searchImages(chart, options, context);
  const { lock, lockText } = await context.reporter.step('Locking images', async () =>
    lockImages(chart, chosen, options.platforms, context),
  );
  const added = reportAdded(chosen, lock, context);
  const file = options.outputFile ?? join((await findChartPlace(options.chart)).folder, LOCK_FILE_NAME);
  if (options.isDocumentOnly !== true) await writeFileAtomically(file, lockText);
  return { file, lock, added };
}
