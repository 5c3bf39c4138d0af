import { readFile } from 'node:fs/promises';
import type { BundleFile } from '../../archive/bundle-files.ts';
import { CARVEL_LOCK_PATH } from '../../domain/carvel/carvel-lock.ts';
import { MAX_CARVEL_LOCK_BYTES, parseImagesLock } from '../../domain/carvel/parse-carvel-lock.ts';
import { DtError } from '../../domain/errors.ts';

/** The folder that makes files a bundle. */
const BUNDLE_FOLDER = '.imgpkg';

/** Throws DT_USAGE unless exactly one `.imgpkg` folder lies at the top of what was given, and DT_LOCK_INVALID unless its lock is one. */
export async function requireBundleFolder(places: readonly string[], files: readonly BundleFile[]): Promise<void> {
  const folders = listBundleFolders(files);
  const [first, ...others] = folders;
  if (first === undefined) {
    throw new DtError('DT_USAGE', `${places.join(', ')} is no bundle: ${CARVEL_LOCK_PATH} is missing`, {
      hints: [
        '-i instead of -b for a plain image',
        '{bin} manifests lock -f DIR --imgpkg-lock-output DIR/.imgpkg/images.yml',
      ],
    });
  }
  if (others.length > 0) {
    const names = folders.map(({ realPath }) => realPath).join(', ');
    throw new DtError(
      'DT_USAGE',
      `a bundle has one ${BUNDLE_FOLDER} folder, and there are ${String(folders.length)}: ${names}`,
    );
  }
  if (first.path !== BUNDLE_FOLDER) {
    throw new DtError('DT_USAGE', `${first.realPath} does not lie at the top of what -f names`, {
      detail: `The ${BUNDLE_FOLDER} folder makes a bundle of the folder that it is in.`,
    });
  }
  const lock = files.find(({ path, type }) => path === CARVEL_LOCK_PATH && type === 'file');
  if (lock === undefined) throw new DtError('DT_USAGE', `${first.realPath} has no images.yml`);
  if (lock.sizeBytes > MAX_CARVEL_LOCK_BYTES) {
    throw new DtError('DT_LOCK_INVALID', `${lock.realPath} has more than ${String(MAX_CARVEL_LOCK_BYTES)} bytes`);
  }
  parseImagesLock(await readFile(lock.realPath), lock.realPath);
}

/** Throws DT_USAGE if what shall be a plain image has the folder of a bundle. */
export function requireImageFolder(_places: readonly string[], files: readonly BundleFile[]): Promise<void> {
  const [found] = listBundleFolders(files);
  if (found === undefined) return Promise.resolve();
  return Promise.reject(
    new DtError('DT_USAGE', `${found.realPath} makes this a bundle, and -i is for plain images`, {
      hints: ['-b instead of -i for a bundle'],
    }),
  );
}

function listBundleFolders(files: readonly BundleFile[]): BundleFile[] {
  return files.filter(
    ({ path, type }) => type === 'directory' && (path === BUNDLE_FOLDER || path.endsWith(`/${BUNDLE_FOLDER}`)),
  );
}
