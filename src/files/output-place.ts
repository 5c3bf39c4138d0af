import { access, constants, stat, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { DtError, errorMessage, systemErrorCode } from '../domain/errors.ts';

/** What `stat` counts the space of a file in, whatever the blocks of its file system are. */
const STAT_BLOCK_BYTES = 512;

/** Throws DT_OUTPUT_FAILED unless a file can be made at this path, where folders that are missing will be made too. */
export async function requireWritablePlace(outputFile: string): Promise<void> {
  try {
    await access(await findExistingFolder(outputFile), constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new DtError('DT_OUTPUT_FAILED', `cannot write ${outputFile}: ${errorMessage(error)}`, { cause: error });
  }
}

/** Bytes that this user may still write beside the file; undefined where the file system does not tell. */
export async function readFreeBytes(outputFile: string): Promise<number | undefined> {
  try {
    const { blocks, bavail, bsize } = await statfs(await findExistingFolder(outputFile));
    return blocks === 0 ? undefined : bavail * bsize;
  } catch {
    return undefined;
  }
}

/** The space that a file takes, holes not counted; 0 if there is none. */
export async function readAllocatedBytes(path: string): Promise<number> {
  try {
    return (await stat(path)).blocks * STAT_BLOCK_BYTES;
  } catch {
    return 0;
  }
}

/** The nearest folder above the file that is there. Something else in its place is an error of `access`. */
async function findExistingFolder(outputFile: string): Promise<string> {
  for (let folder = dirname(resolve(outputFile)); ; folder = dirname(folder)) {
    try {
      await stat(folder);
      return folder;
    } catch (error) {
      if (systemErrorCode(error) !== 'ENOENT' || folder === dirname(folder)) throw error;
    }
  }
}
