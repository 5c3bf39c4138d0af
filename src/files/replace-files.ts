import { randomUUID } from 'node:crypto';
import { readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { DtError, errorMessage, systemErrorCode } from '../domain/errors.ts';

/** An existing file with its new content. */
export interface FileReplacement {
  readonly path: string;
  readonly bytes: Uint8Array;
}

interface StagedFile {
  readonly path: string;
  readonly temporaryPath: string;
  readonly mode: number;
  readonly oldBytes: Uint8Array;
}

/**
 * Gives existing files other contents: all of them, or none. Everything is written beside the files first; a link stays one.
 * Throws DT_OUTPUT_FAILED, DT_DISK_FULL.
 */
export async function replaceFiles(files: readonly FileReplacement[]): Promise<void> {
  const staged: StagedFile[] = [];
  const replaced: StagedFile[] = [];
  try {
    for (const file of files) staged.push(await stage(file));
    for (const file of staged) {
      await rename(file.temporaryPath, file.path);
      replaced.push(file);
    }
  } catch (error) {
    for (const { path, oldBytes, mode } of replaced) await writeFile(path, oldBytes, { mode });
    for (const { temporaryPath } of staged) await rm(temporaryPath, { force: true });
    const code = systemErrorCode(error) === 'ENOSPC' ? 'DT_DISK_FULL' : 'DT_OUTPUT_FAILED';
    throw new DtError(code, `nothing was changed: ${errorMessage(error)}`, { cause: error });
  }
}

async function stage({ path, bytes }: FileReplacement): Promise<StagedFile> {
  const realPath = await realpath(path);
  const mode = (await stat(realPath)).mode & 0o777;
  const temporaryPath = `${realPath}.${randomUUID()}.tmp`;
  try {
    await writeFile(temporaryPath, bytes, { mode, flag: 'wx' });
    return { path: realPath, temporaryPath, mode, oldBytes: await readFile(realPath) };
  } catch (error) {
    await rm(temporaryPath, { force: true });
    throw error;
  }
}
