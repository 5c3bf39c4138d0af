import { mkdir } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { CARVEL_LOCK_MODE } from '../../domain/carvel/bundle-lock.ts';
import {
  formatCarvelLock,
  ID_ANNOTATION,
  ORIGINS_ANNOTATION,
  type CarvelImage,
} from '../../domain/carvel/carvel-lock.ts';
import { formatKbldLock } from '../../domain/carvel/format-kbld-config.ts';
import { formatOrigins } from '../../domain/carvel/image-origins.ts';
import { parsePinnedReference } from '../../domain/carvel/pinned-reference.ts';
import { DtError, errorMessage, systemErrorCode } from '../../domain/errors.ts';
import type { SearchRule } from '../../domain/manifests/search-rule.ts';
import { writeFileAtomically } from '../../files/atomic-write.ts';
import type { ResolvedManifestImage } from './resolve-manifest-images.ts';

/** Which locks are to be written. */
export interface LockOutputs {
  /** An ImagesLock. */
  readonly imgpkgLockFile: string | undefined;
  /** A lock of kbld. */
  readonly kbldLockFile: string | undefined;
  /** Tell in an ImagesLock how each digest came about. */
  readonly tellsOrigins: boolean;
}

/** What stands in locks. */
export interface LockContent {
  readonly images: readonly ResolvedManifestImage[];
  readonly searchRules: readonly SearchRule[];
}

/** Writes locks, each with the folder that it lies in, for their owner only. Returns the files. Throws DT_OUTPUT_FAILED, and as `formatImagesLock`. */
export async function writeImageLocks(
  { images, searchRules }: LockContent,
  { imgpkgLockFile, kbldLockFile, tellsOrigins }: LockOutputs,
): Promise<readonly string[]> {
  const files: readonly (readonly [string | undefined, () => string])[] = [
    [imgpkgLockFile, () => formatImagesLock(images, tellsOrigins)],
    [
      kbldLockFile,
      () =>
        formatKbldLock(
          images.map(({ image, resolved }) => ({ image, newImage: resolved.url })),
          searchRules,
        ),
    ],
  ];
  const written = files.flatMap(([file, format]) => (file === undefined ? [] : [{ file, text: format() }]));
  for (const { file, text } of written) {
    await makeFolder(file);
    await writeFileAtomically(file, text, { mode: CARVEL_LOCK_MODE });
  }
  return written.map(({ file }) => file);
}

/** The text of an ImagesLock. Throws DT_CONFIG_INVALID for an image that an override makes final without a digest. */
export function formatImagesLock(images: readonly ResolvedManifestImage[], tellsOrigins: boolean): string {
  return formatCarvelLock(
    images.map(({ image, resolved: { url, origins } }): CarvelImage => {
      if (parsePinnedReference(url) === undefined) {
        throw new DtError(
          'DT_CONFIG_INVALID',
          `${image} becomes ${url}, which has no digest: an ImagesLock cannot name it`,
          {
            hints: ['give the override a newImage with a digest, or leave preresolved out'],
          },
        );
      }
      const isTold = tellsOrigins && origins.length > 0;
      return {
        image: url,
        annotations: { [ID_ANNOTATION]: image, ...(isTold ? { [ORIGINS_ANNOTATION]: formatOrigins(origins) } : {}) },
      };
    }),
  );
}

/** One folder, such as `.imgpkg`: a path that is not there at all is a mistake. */
async function makeFolder(file: string): Promise<void> {
  try {
    await mkdir(dirname(resolve(file)));
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return;
    throw new DtError('DT_OUTPUT_FAILED', `cannot create the folder of ${file}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}
