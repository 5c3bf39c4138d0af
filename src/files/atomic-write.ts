import { rename, rm, stat, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { outputErrorCode } from '../domain/error-rules.ts';
import { DtError, errorMessage, isDtError, systemErrorCode } from '../domain/errors.ts';

/**
 * Writes a small file so that it appears complete or not at all, with `mode` or the usual one; a device (`/dev/stdout`) is
 * written to directly.
 * Throws DT_OUTPUT_FAILED or DT_DISK_FULL.
 */
export async function writeFileAtomically(
  path: string,
  content: string | Uint8Array,
  options: { readonly mode?: number } = {},
): Promise<void> {
  await replaceFileAtomically(path, async (place) =>
    writeFile(place, content, place === path ? {} : { ...options, flag: 'wx' }),
  );
}

/**
 * The same for a file that is written bit by bit: `write` gets the path to write to, a device as it is. Errors of its own
 * (`DtError`, an abort) pass. Throws DT_OUTPUT_FAILED or DT_DISK_FULL.
 */
export async function replaceFileAtomically(path: string, write: (place: string) => Promise<void>): Promise<void> {
  const temporaryPath = `${path}.${randomUUID()}.tmp`;
  try {
    if (await isSpecialFile(path)) {
      await write(path);
      return;
    }
    await write(temporaryPath);
    await rename(temporaryPath, path);
  } catch (error) {
    await rm(temporaryPath, { force: true });
    if (isDtError(error) || systemErrorCode(error) === 'ABORT_ERR') throw error;
    throw new DtError(outputErrorCode(error), `cannot write ${path}: ${errorMessage(error)}`, { cause: error });
  }
}

async function isSpecialFile(path: string): Promise<boolean> {
  try {
    const stats = await stat(path);
    return !stats.isFile() && !stats.isDirectory();
  } catch {
    return false;
  }
}
