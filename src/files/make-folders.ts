import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { systemErrorCode } from '../domain/errors.ts';

/**
 * Makes a folder with all that are missing above it, each with `mode` or the usual one. Throws system errors. `mkdir` of Node.js never
 * ends where a file system says of a folder in one that is there that it is not (`/proc`, a mount point of an automounter).
 */
export async function makeFolders(path: string, mode?: number): Promise<void> {
  const folder = resolve(path);
  try {
    await mkdir(folder, { mode });
  } catch (error) {
    const code = systemErrorCode(error);
    const parent = dirname(folder);
    if (code === 'ENOENT' && parent !== folder && !(await isFolder(parent))) {
      await makeFolders(parent, mode);
      await makeFolders(folder, mode);
    } else if (code === 'ENOENT' || !(await isFolder(folder))) {
      throw error;
    }
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
