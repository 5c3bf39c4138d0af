import type { Chart } from '../../domain/chart/chart.ts';
import { findChartFile } from '../../domain/chart/chart-tree.ts';
import { readChartImages } from '../../domain/chart/images-annotation.ts';
import { DtError } from '../../domain/errors.ts';
import { formatCount } from '../../domain/format-quantity.ts';
import { formatImagesLock } from '../../domain/lock/format-lock.ts';
import {
  formatLockTime,
  isSameLockImage,
  LOCK_FILE_NAME,
  LOCK_GENERATED_BY,
  type ImagesLock,
  type LockChart,
  type LockImage,
} from '../../domain/lock/images-lock.ts';
import { lockDigestsOf } from '../../domain/lock/lock-platforms.ts';
import { parseImagesLock } from '../../domain/lock/parse-lock.ts';
import { compareLocks, describeLockDifference } from '../../domain/lock/verify-lock.ts';
import type { Platform } from '../../domain/oci/platform.ts';
import { parseReference } from '../../domain/oci/reference.ts';
import { decodeYamlText } from '../../domain/yaml/parse-yaml.ts';
import type { RunContext } from '../context.ts';
import { resolveImages, type NamedReference, type SourceImage } from './resolve-images.ts';
import { generationTime } from '../source-date.ts';

export interface LockOptions {
  /** Read this annotation instead of the known ones. */
  readonly annotationsKey?: string | undefined;
  /** Lock these platforms only; empty means all. */
  readonly platforms: readonly Platform[];
}

/** The `chart` block of a lock without a chart. */
const NO_CHART: LockChart = { name: '', version: '', appVersion: '' };

/** A lock with what its images pointed to when it was made or verified. */
export interface LockedImages {
  readonly lock: ImagesLock;
  /** The text of the lock file. */
  readonly lockText: string;
  /** In the order of the lock. */
  readonly sources: readonly SourceImage[];
}

/** Locks the images of a chart by digest. Throws as `readChartImages`, `resolveImages` and `lockDigestsOf` do. */
export async function lockImages(chart: Chart, options: LockOptions, context: RunContext): Promise<LockedImages> {
  return lockSources(readChartImages(chart, options), chart.metadata, options.platforms, context);
}

/** Locks single images, in the order given and without a chart. Throws as `resolveImages` and `lockDigestsOf` do. */
export async function lockReferences(
  references: readonly string[],
  platforms: readonly Platform[],
  context: RunContext,
): Promise<LockedImages> {
  const images = references.map((image) => {
    const { repository } = parseReference(image);
    return { name: repository.slice(repository.lastIndexOf('/') + 1), image, chart: '' };
  });
  return lockSources(images, NO_CHART, platforms, context);
}

async function lockSources(
  images: readonly NamedReference[],
  chart: LockChart,
  platforms: readonly Platform[],
  context: RunContext,
): Promise<LockedImages> {
  const sources = await resolveImages(images, context);
  const lock = buildLock(
    chart,
    sources.map(({ image, root, resolved }) => {
      const digests = lockDigestsOf(resolved, image.image, platforms);
      const isIndex = resolved.kind === 'index' && platforms.length > 0;
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
  const lock = buildLock(chart.metadata, images, context);
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
): Promise<LockedImages | undefined> {
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

/** `2 images, 4 platform images`. */
export function countLockImages(images: readonly LockImage[]): string {
  const platformImages = images.reduce((sum, { digests }) => sum + digests.length, 0);
  return `${formatCount(images.length, 'image')}, ${formatCount(platformImages, 'platform image')}`;
}

function buildLock(
  { name, version, appVersion }: LockChart,
  images: readonly LockImage[],
  context: RunContext,
): ImagesLock {
  return {
    metadata: {
      generatedAt: formatLockTime(generationTime(context.environment)),
      generatedBy: LOCK_GENERATED_BY,
    },
    chart: { name, version, appVersion },
    images,
  };
}

function lockPlace({ name, image, chart }: NamedReference): Omit<LockImage, 'digests'> {
  return { name, image, chart };
}
