import { rename, rm, stat, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { DtError, errorMessage, systemErrorCode } from '../domain/errors.ts';

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
  const temporaryPath = `${path}.${randomUUID()}.tmp`;
  try {
    if (await isSpecialFile(path)) {
      await writeFile(path, content);
      return;
    }
    await writeFile(temporaryPath, content, { ...options, flag: 'wx' });
    await rename(temporaryPath, path);
  } catch (error) {
    await rm(temporaryPath, { force: true });
    const code = systemErrorCode(error) === 'ENOSPC' ? 'DT_DISK_FULL' : 'DT_OUTPUT_FAILED';
    throw new DtError(code, `cannot write ${path}: ${errorMessage(error)}`, { cause: error });
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
