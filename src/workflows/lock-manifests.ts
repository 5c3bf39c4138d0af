import type { LikelyImage } from '../domain/manifests/image-place.ts';
import type { RunContext } from './context.ts';
import { resolveFound, searchManifests, type ResolutionOptions } from './manifests/find-and-resolve.ts';
import type { ResolvedManifestImage } from './manifests/resolve-manifest-images.ts';
import { formatImagesLock, writeImageLocks, type LockOutputs } from './manifests/write-image-locks.ts';

export interface LockManifestsOptions extends ResolutionOptions, LockOutputs {
  /** Lock what only looks like an image, too. */
  readonly includesLikely: boolean;
}

export interface LockManifestsResult {
  /** In the order of the lock. */
  readonly images: readonly ResolvedManifestImage[];
  /** What only looks like an image, whether it is in the lock or not. */
  readonly likely: readonly LikelyImage[];
  /** The locks that were written. */
  readonly files: readonly string[];
  /** The ImagesLock, if no file was asked for. */
  readonly lockText: string | undefined;
}

/** Finds the images of manifests and locks them by digest. Throws what reading, resolving and writing throw. */
export async function lockManifests(options: LockManifestsOptions, context: RunContext): Promise<LockManifestsResult> {
  const { platform, includesLikely, tellsOrigins, imgpkgLockFile, kbldLockFile } = options;
  const searched = await searchManifests(options);
  const { likely } = searched.found;
  const images = await resolveFound(searched, { platform, likely: includesLikely ? likely : [] }, context);
  const files = await writeImageLocks({ images, searchRules: searched.manifests.searchRules }, options);
  const isPrinted = imgpkgLockFile === undefined && kbldLockFile === undefined;
  return { images, likely, files, lockText: isPrinted ? formatImagesLock(images, tellsOrigins) : undefined };
}
