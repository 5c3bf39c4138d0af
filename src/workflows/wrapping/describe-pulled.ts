import { listGraphs } from '../../content/image-content.ts';
import { countBlobBytes } from '../../content/read-graph.ts';
import { formatBytes, formatCount, formatDuration } from '../../domain/format-quantity.ts';
import { listLockPlatforms, type LockImage, type LockPlatform } from '../../domain/lock/images-lock.ts';
import type { Delta } from './delta.ts';
import type { GatheredImage } from './gather-images.ts';

/** An image in a wrap. */
export interface WrappedImageResult {
  readonly reference: string;
  readonly platforms: readonly LockPlatform[];
  /** Signatures and the like that are in the wrap. */
  readonly attachedCount: number;
}

/** What a step tells of images that are in the wrap, without what a delta leaves out. */
export function describePulled(images: readonly GatheredImage[], delta: Delta | undefined, durationMs: number): string {
  const omittedBytes = delta?.omittedBytes ?? 0;
  const totalBytes = countBlobBytes(images.flatMap(listGraphs)) - omittedBytes;
  const without = omittedBytes === 0 ? '' : ` (${formatBytes(omittedBytes)} left out, which the base has)`;
  const artifacts = new Set(images.flatMap(({ attached }) => attached.map(({ artifact }) => artifact.digest)));
  const withArtifacts = artifacts.size === 0 ? '' : ` with ${formatCount(artifacts.size, 'attached artifact')}`;
  return `${formatCount(images.length, 'image')}${withArtifacts}, ${formatBytes(totalBytes)} in ${formatDuration(durationMs)}${without}`;
}

/** What is told of an image of the lock, with what was gathered. */
export function describeImage(lockImage: LockImage, images: readonly GatheredImage[]): WrappedImageResult {
  const gathered = images.find((candidate) => candidate.lockImage === lockImage);
  return {
    reference: lockImage.image,
    platforms: listLockPlatforms(lockImage),
    attachedCount: gathered?.attached.length ?? 0,
  };
}
