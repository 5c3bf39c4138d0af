import type { Chart } from '../../domain/chart/chart.ts';
import { covers, type ChosenImages, type PinnedImage } from '../../domain/discovery/choose-images.ts';
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
import { describeWhy, type ChartImages, type SearchOptions } from './search-images.ts';
import { resolveImages, type NamedReference, type SourceImage } from './resolve-images.ts';
import { generationTime } from '../source-date.ts';

export interface LockOptions extends SearchOptions {
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

/** Locks the images of a chart by digest. Throws as `resolveImages` and `lockDigestsOf` do. */
export async function lockImages(
  chart: Chart,
  { images, pinned }: ChosenImages,
  platforms: readonly Platform[],
  context: RunContext,
): Promise<LockedImages> {
  const locked = await lockSources(images, chart.metadata, platforms, context);
  warnOfPinned(pinned, locked, context);
  return locked;
}

/** The site gets the declared image only: what runs by a digest is there if that is one of its digests. */
function warnOfPinned(pinned: readonly PinnedImage[], { sources }: LockedImages, { reporter }: RunContext): void {
  for (const { declared, reference, digest } of pinned) {
    const source = sources.find(({ image }) => image.image === declared);
    if (source === undefined) continue;
    const { root, resolved } = source;
    const leaves = resolved.kind === 'index' ? resolved.leaves.map((leaf) => leaf.descriptor.digest) : [];
    if ([root.descriptor.digest, ...leaves].some((known) => known === digest)) continue;
    reporter.warn(`the chart runs ${reference}, but ${declared}, which it declares, is ${root.descriptor.digest} now`);
  }
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
  { images }: ChosenImages,
  context: RunContext,
): { lock: ImagesLock; lockText: string } {
  const lock = buildLock(
    chart.metadata,
    images.map((image) => ({ ...lockPlace(image), digests: [] })),
    context,
  );
  return { lock, lockText: formatImagesLock(lock) };
}

/**
 * Verifies the lock that a chart has against the registries. It must name what annotations name, and may name what discovery found, or,
 * where nothing was rendered, what registries have; what it lacks of that is a warning, as the lock counts. Throws DT_LOCK_INVALID, DT_LOCK_MISMATCH.
 */
export async function verifyChartLock(
  chart: Chart,
  lockBytes: Uint8Array,
  chosen: ChartImages,
  context: RunContext,
): Promise<LockedImages> {
  const lockText = decodeYamlText(lockBytes, LOCK_FILE_NAME);
  const lock = parseImagesLock(lockText, LOCK_FILE_NAME);
  const calculated = await lockImages(chart, expectImages(lock, chosen), [], context);
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
  for (const image of chosen.images) {
    if (image.found === undefined || lock.images.some((locked) => isCovered(image, locked))) continue;
    context.reporter.warn(
      `${image.image} is not in ${LOCK_FILE_NAME} and is left out (${describeWhy(image.found)}): "images lock" adds it`,
    );
  }
  return { lock, lockText, sources };
}

/** What annotations name, and of the other images of the lock, as it names them, those that the chart was found to have. */
function expectImages(lock: ImagesLock, { images, pinned, leftOut, discovery }: ChartImages): ChosenImages {
  const annotated = images.filter(({ found }) => found === undefined);
  const known = discovery.images.filter(({ confidence }) => confidence !== 'dormant');
  // A lock made with Helm is to be of use where there is none; what no registry has is none of the chart's.
  const isRendered = discovery.rendering.state === 'rendered';
  const others = lock.images
    .filter((locked) => !annotated.some((image) => isSameLockImage(image, locked)))
    .filter((locked) => !isRendered || known.some(({ reference }) => isCovered({ image: reference }, locked)))
    .map(({ chart, name, image }) => ({ chart, name, image, isGuess: !isRendered }));
  return { images: [...annotated, ...others], pinned, leftOut };
}

function isCovered(wanted: Pick<LockImage, 'image'>, have: Pick<LockImage, 'image'>): boolean {
  return covers(parseReference(have.image), parseReference(wanted.image));
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
