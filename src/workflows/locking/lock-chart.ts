import { findChartFile } from '../../domain/chart/chart-tree.ts';
import type { Chart } from '../../domain/chart/chart.ts';
import { LOCK_FILE_NAME } from '../../domain/lock/images-lock.ts';
import type { RunContext } from '../context.ts';
import {
  countLockImages,
  listImagesLock,
  lockImages,
  verifyChartLock,
  type LockedImages,
  type LockOptions,
} from './lock-images.ts';
import { reportAdded, type ChartImages } from './search-images.ts';

export interface LockChartOptions extends Pick<LockOptions, 'platforms'> {
  /** A new lock only names the images: no registry is asked. */
  readonly namesOnly?: boolean;
  /** The lock is for the Go tool, too. */
  readonly isCompatible?: boolean;
}

/** The lock that a chart has, verified, or else a new one. Throws as `verifyChartLock` and `lockImages` do. */
export async function lockChart(
  chart: Chart,
  chosen: ChartImages,
  options: LockChartOptions,
  context: RunContext,
): Promise<LockedImages> {
  const { reporter } = context;
  const lockFile = findChartFile(chart.tree, LOCK_FILE_NAME);
  if (lockFile !== undefined) {
    if (options.platforms.length > 0) {
      reporter.warn(`--platforms has no effect: the chart has an ${LOCK_FILE_NAME}, and that one is used`);
    }
    return reporter.step(
      `Verifying ${LOCK_FILE_NAME}`,
      async () => verifyChartLock(chart, lockFile.bytes, chosen, context),
      ({ lock }) => `${LOCK_FILE_NAME} verified (${countLockImages(lock.images)})`,
    );
  }
  const locked =
    options.namesOnly === true
      ? { ...listImagesLock(chart, chosen, context), sources: [] }
      : await reporter.step(
          `Locking images`,
          async () => lockImages(chart, chosen, options.platforms, context),
          ({ lock }) => `${LOCK_FILE_NAME} written (${countLockImages(lock.images)})`,
        );
  reportAdded(chosen, locked.lock, context);
  if (options.isCompatible === true && chosen.images.some(({ found }) => found !== undefined)) {
    reporter.warn('the Go dt takes locks only of what annotations name: run "charts annotate" on the chart first');
  }
  return locked;
}
