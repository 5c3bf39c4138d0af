import type { ImagesLock } from '../domain/lock/images-lock.ts';
import type { RunContext } from './context.ts';
import { parseLocalLock, readLocalChart } from './locking/chart-lock-file.ts';
import { countLockImages, verifyChartLock } from './locking/lock-images.ts';
import { searchImages, type SearchOptions } from './locking/search-images.ts';
import { nameSide } from './name-side.ts';

export interface VerifyLocalLockOptions extends SearchOptions {
  /** A folder or a .tgz. */
  readonly chart: string;
  /** Default: `Images.lock` in the chart folder, or beside the archive. */
  readonly lockFile?: string | undefined;
}

export interface VerifyLocalLockResult {
  readonly chart: { readonly name: string; readonly version: string };
  readonly file: string;
  readonly lock: ImagesLock;
}

/**
 * Compares the lock of a chart with its images as they are in their registries. Throws DT_LOCK_MISMATCH that names all differences,
 * DT_FILE_NOT_FOUND without a lock, and as `verifyChartLock`.
 */
export async function verifyLocalLock(
  options: VerifyLocalLockOptions,
  context: RunContext,
): Promise<VerifyLocalLockResult> {
  return nameSide('source', async () => {
    const local = await readLocalChart(options.chart, options.lockFile, context);
    const { chart, lockPath, lockBytes } = local;
    // What is wrong with the file itself is told under its own name, and before anything is rendered.
    parseLocalLock(local);
    const chosen = await searchImages(chart, { ...options, allowEmpty: true }, context);
    const { lock } = await context.reporter.step(
      `Verifying ${lockPath}`,
      async () => verifyChartLock(chart, lockBytes, chosen, context),
      (verified) => countLockImages(verified.lock.images),
    );
    const { name, version } = chart.metadata;
    return { chart: { name, version }, file: lockPath, lock };
  });
}
