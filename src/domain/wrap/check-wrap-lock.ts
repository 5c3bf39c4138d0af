import { formatLockPlatform, isSameLockImage, type ImagesLock, type LockImage } from '../lock/images-lock.ts';
import type { DamageList } from './wrap-damage.ts';
import { WRAP_DOCUMENT_PATH, type WrappedImage } from './wrap-document.ts';

/** What is compared: one folder of a wrap. */
export interface LockedFolder {
  /** The path of the lock in the archive. */
  readonly lockPath: string;
  readonly lock: ImagesLock;
  /** What wrap.json has for the folder. */
  readonly images: readonly WrappedImage[];
  /** The images are only named: their content is not expected. */
  readonly isLight: boolean;
}

/** Finds every image that the lock and wrap.json do not agree on, in both directions. */
export function checkWrapLock({ lockPath, lock, images, isLight }: LockedFolder, damages: DamageList): void {
  for (const lockImage of lock.images) {
    const image = findWrappedImage(images, lockImage);
    const report = (code: 'DT_LOCK_MISMATCH' | 'DT_WRAP_INCOMPLETE', message: string): void => {
      damages.add(code, message, { entry: lockPath, image: lockImage.image });
    };
    if (image === undefined) {
      report('DT_LOCK_MISMATCH', `${lockImage.image} is in the lock but not in ${WRAP_DOCUMENT_PATH}`);
      continue;
    }
    if (describePlatforms(image.platforms) !== describePlatforms(listPlatforms(lockImage))) {
      report(
        'DT_LOCK_MISMATCH',
        `the digests of ${lockImage.image} are others in the lock than in ${WRAP_DOCUMENT_PATH}`,
      );
    }
    if (image.digest === undefined && !isLight)
      report('DT_WRAP_INCOMPLETE', `the content of ${lockImage.image} is not in the wrap`);
    if (lockImage.indexDigest !== undefined && image.digest !== undefined && image.digest !== lockImage.indexDigest) {
      report(
        'DT_LOCK_MISMATCH',
        `the index of ${lockImage.image} is ${image.digest}, not ${lockImage.indexDigest} as its lock says`,
      );
    }
  }
  for (const image of images) {
    const isLocked = lock.images.some((lockImage) => isSame(image, lockImage));
    if (!isLocked) {
      const message = `${image.reference} is in ${WRAP_DOCUMENT_PATH} but not in the lock`;
      damages.add('DT_LOCK_MISMATCH', message, { entry: lockPath, image: image.reference });
    }
  }
}

/** The entry of wrap.json for an image of the lock. */
export function findWrappedImage(images: readonly WrappedImage[], lockImage: LockImage): WrappedImage | undefined {
  return images.find((image) => isSame(image, lockImage));
}

function isSame(image: WrappedImage, lockImage: LockImage): boolean {
  return isSameLockImage(lockImage, { ...image, image: image.reference });
}

function listPlatforms({ digests }: LockImage): WrappedImage['platforms'] {
  return digests.map((entry) => ({ digest: entry.digest, platform: formatLockPlatform(entry) }));
}

function describePlatforms(platforms: WrappedImage['platforms']): string {
  return JSON.stringify(platforms.map(({ digest, platform }) => `${digest} ${platform}`).sort());
}
