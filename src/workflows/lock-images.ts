import type { Chart } from '../domain/chart/chart.ts';
import { findChartFile } from '../domain/chart/chart-tree.ts';
import { readChartImages, type ChartImage } from '../domain/chart/images-annotation.ts';
import { DtError } from '../domain/errors.ts';
import { formatImagesLock } from '../domain/lock/format-lock.ts';
import {
  formatLockTime,
  isSameLockImage,
  LOCK_FILE_NAME,
  LOCK_GENERATED_BY,
  type ImagesLock,
  type LockImage,
} from '../domain/lock/images-lock.ts';
import { lockDigestsOf } from '../domain/lock/lock-platforms.ts';
import { parseImagesLock } from '../domain/lock/parse-lock.ts';
import { compareLocks, describeLockDifference } from '../domain/lock/verify-lock.ts';
import type { Platform } from '../domain/oci/platform.ts';
import { decodeYamlText } from '../domain/yaml/parse-yaml.ts';
import type { RunContext } from './context.ts';
import { resolveImages, type SourceImage } from './resolve-images.ts';
import { generationTime } from './source-date.ts';

export interface LockOptions {
  /** Read this annotation instead of the known ones. */
  readonly annotationsKey?: string | undefined;
  /** Lock these platforms only; empty means all. */
  readonly platforms: readonly Platform[];
}

/** A lock with what its images pointed to when it was made or verified. */
export interface LockedChart {
  readonly lock: ImagesLock;
  /** The text of the lock file. */
  readonly lockText: string;
  /** In the order of the lock. */
  readonly sources: readonly SourceImage[];
}

/** Locks the images of a chart by digest. Throws as `readChartImages`, `resolveImages` and `lockDigestsOf` do. */
export async function lockImages(chart: Chart, options: LockOptions, context: RunContext): Promise<LockedChart> {
  const sources = await resolveImages(readChartImages(chart, options), context);
  const lock = buildLock(
    chart,
    sources.map(({ image, root, resolved }) => {
      const digests = lockDigestsOf(resolved, image.image, options.platforms);
      const isIndex = resolved.kind === 'index' && options.platforms.length > 0;
      return { ...lockPlace(image), digests, ...(isIndex ? { indexDigest: root.descriptor.digest } : {}) };
    }),
    context,
  );
  return { lock, lockText: formatImagesLock(lock), sources };
}

/** A lock that names the images of a chart without asking any registry. */
export function listImagesLock(
  chart: Chart,
  options: LockOptions,
  context: RunContext,
): { lock: ImagesLock; lockText: string } {
  const images = readChartImages(chart, options).map((image) => ({ ...lockPlace(image), digests: [] }));
  const lock = buildLock(chart, images, context);
  return { lock, lockText: formatImagesLock(lock) };
}

/**
 * Verifies the lock that a chart has against the registries. Returns undefined for a chart without one.
 * Throws DT_LOCK_INVALID, DT_LOCK_MISMATCH.
 */
export async function verifyChartLock(
  chart: Chart,
  options: LockOptions,
  context: RunContext,
): Promise<LockedChart | undefined> {
  const file = findChartFile(chart.tree, LOCK_FILE_NAME);
  if (file === undefined) return undefined;
  const lockText = decodeYamlText(file.bytes, LOCK_FILE_NAME);
  const lock = parseImagesLock(lockText, LOCK_FILE_NAME);
  const calculated = await lockImages(chart, { ...options, platforms: [] }, context);
  const differences = compareLocks(lock, calculated.lock);
  if (differences.length > 0) {
    throw new DtError('DT_LOCK_MISMATCH', `${LOCK_FILE_NAME} of ${chart.metadata.name} does not match its images`, {
      detail: differences.map(describeLockDifference).join('; '),
      hints: ['{bin} images lock CHART'],
    });
  }
  const sources = lock.images.flatMap((image) =>
    calculated.sources.filter((source) => isSameLockImage(image, source.image)),
  );
  return { lock, lockText, sources };
}

function buildLock(chart: Chart, images: readonly LockImage[], context: RunContext): ImagesLock {
  const { name, version, appVersion } = chart.metadata;
  return {
    metadata: {
      generatedAt: formatLockTime(generationTime(context.environment)),
      generatedBy: LOCK_GENERATED_BY,
    },
    chart: { name, version, appVersion },
    images,
  };
}

function lockPlace({ name, image, chart }: ChartImage): Omit<LockImage, 'digests'> {
  return { name, image, chart };
}
