import { listLockPlatforms, type ImagesLock, type LockImage } from '../lock/images-lock.ts';
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
  const wrapped = groupWrappedImages(images);
  for (const lockImage of lock.images) {
    const image = wrapped.get(keyOfImage(lockImage));
    const report = (code: 'DT_LOCK_MISMATCH' | 'DT_WRAP_INCOMPLETE', message: string): void => {
      damages.add(code, message, { entry: lockPath, image: lockImage.image });
    };
    if (image === undefined) {
      report('DT_LOCK_MISMATCH', `${lockImage.image} is in the lock but not in ${WRAP_DOCUMENT_PATH}`);
      continue;
    }
    if (describePlatforms(image.platforms) !== describePlatforms(listLockPlatforms(lockImage))) {
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
  const locked = new Set(lock.images.map(keyOfImage));
  for (const image of images) {
    if (!locked.has(keyOfImage({ ...image, image: image.reference }))) {
      const message = `${image.reference} is in ${WRAP_DOCUMENT_PATH} but not in the lock`;
      damages.add('DT_LOCK_MISMATCH', message, { entry: lockPath, image: image.reference });
    }
  }
}

/** The entries of wrap.json for the images of a lock, by `keyOfImage`; of several the first counts. */
export function groupWrappedImages(images: readonly WrappedImage[]): ReadonlyMap<string, WrappedImage> {
  const wrapped = new Map<string, WrappedImage>();
  for (const image of images) {
    const key = keyOfImage({ ...image, image: image.reference });
    if (!wrapped.has(key)) wrapped.set(key, image);
  }
  return wrapped;
}

/** The same for all entries of an image, see `isSameLockImage`. */
export function keyOfImage({ chart, name, image }: Pick<LockImage, 'chart' | 'name' | 'image'>): string {
  return JSON.stringify([chart, name, image]);
}

function describePlatforms(platforms: WrappedImage['platforms']): string {
  return JSON.stringify(platforms.map(({ digest, platform }) => `${digest} ${platform}`).sort());
}
