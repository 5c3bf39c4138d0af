import { randomUUID } from 'node:crypto';
import type { Stats } from 'node:fs';
import { chmod, chown, mkdir, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DtError, errorMessage, systemErrorCode } from '../domain/errors.ts';

/** An existing file with its new content. */
export interface FileReplacement {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** What the new content was made from: a file that says something else by now is not replaced. */
  readonly expectedBytes: Uint8Array;
}

/** A file with both contents, ready to be renamed to it. */
interface StagedFile {
  readonly path: string;
  /** Behind all links. */
  readonly realPath: string;
  readonly newPath: string;
  readonly oldPath: string;
  readonly replacement: FileReplacement;
}

const STAGING_FOLDER = /^\.dt-replacing-[\da-f-]{36}\.tmp$/;

/** True for the folder that `replaceFiles` works in, and that a killed run leaves behind. */
export function isStagingFolderName(name: string): boolean {
  return STAGING_FOLDER.test(name);
}

/**
 * Gives existing files other contents: all of them, or none. Old and new contents are written to a hidden folder in `folder` first, which has
 * to be on the file system of the files; a link stays one, a mode too. Throws DT_OUTPUT_FAILED, also if a file is not as
 * expected, and DT_DISK_FULL; the error names the files that could not get their old content back, and where that is.
 *
 * A run that is killed between two renames leaves some files replaced, each of them complete, and the hidden folder: chart
 * folders are read without it, and `*.tmp` is in the .helmignore of `helm create`. Whoever replaces files by what an idempotent change gives
 * ends right with the same run again.
 */
export async function replaceFiles(folder: string, files: readonly FileReplacement[]): Promise<void> {
  const stagingFolder = join(folder, `.dt-replacing-${randomUUID()}.tmp`);
  const replaced: StagedFile[] = [];
  try {
    await mkdir(stagingFolder);
    const staged = await stageFiles(stagingFolder, files);
    // Last of all: the user may edit files at any time.
    for (const file of staged) await requireUnchanged(file);
    for (const file of staged) {
      await rename(file.newPath, file.realPath);
      replaced.push(file);
    }
  } catch (error) {
    const changed = await rollBack(replaced);
    if (changed.length === 0) await removeFolder(stagingFolder);
    throw describeFailure(error, changed, stagingFolder);
  }
  await removeFolder(stagingFolder);
}

async function stageFiles(stagingFolder: string, files: readonly FileReplacement[]): Promise<readonly StagedFile[]> {
  const byRealPath = new Map<string, StagedFile>();
  for (const file of files) {
    const { path, bytes, expectedBytes } = file;
    const realPath = await realpath(path);
    const same = byRealPath.get(realPath);
    if (same !== undefined) {
      if (isEqual(same.replacement.bytes, bytes)) continue;
      throw new DtError('DT_OUTPUT_FAILED', `${same.path} and ${path} are one file and cannot differ`);
    }
    const stats = await stat(realPath);
    const [newPath, oldPath] = ['new', 'old'].map((kind) =>
      join(stagingFolder, `${String(byRealPath.size)}.${kind}`),
    ) as [string, string];
    await writeLike(stats, newPath, bytes);
    await writeLike(stats, oldPath, expectedBytes);
    byRealPath.set(realPath, { path, realPath, newPath, oldPath, replacement: file });
  }
  return [...byRealPath.values()];
}

/** With the mode of the file it stands for, and its owner where we may give files away. */
async function writeLike({ mode, uid, gid }: Stats, path: string, bytes: Uint8Array): Promise<void> {
  await writeFile(path, bytes, { mode: mode & 0o777, flag: 'wx' });
  if (process.geteuid?.() === 0) await chown(path, uid, gid);
  // The umask takes bits off the mode of a new file.
  await chmod(path, mode & 0o777);
}

async function requireUnchanged({ path, realPath, replacement }: StagedFile): Promise<void> {
  if (isEqual(await readFile(realPath), replacement.expectedBytes)) return;
  throw new DtError('DT_OUTPUT_FAILED', `${path} was changed meanwhile`);
}

/** Gives back the files that it could not put back. */
async function rollBack(replaced: readonly StagedFile[]): Promise<readonly StagedFile[]> {
  const failed: StagedFile[] = [];
  for (const file of replaced) {
    try {
      await rename(file.oldPath, file.realPath);
    } catch {
      failed.push(file);
    }
  }
  return failed;
}

/** What is left is in nobody's way: that it cannot be removed changes no outcome. */
async function removeFolder(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch {}
}

function describeFailure(error: unknown, changed: readonly StagedFile[], stagingFolder: string): DtError {
  const code = systemErrorCode(error) === 'ENOSPC' ? 'DT_DISK_FULL' : 'DT_OUTPUT_FAILED';
  if (changed.length === 0) {
    return new DtError(code, `nothing was changed: ${errorMessage(error)}`, { cause: error });
  }
  const paths = changed.map(({ path }) => path).join(', ');
  return new DtError(code, `not all files could be replaced, and ${paths} stayed changed: ${errorMessage(error)}`, {
    cause: error,
    detail: `the old content is in ${stagingFolder} (${changed.map(({ path, oldPath }) => `${oldPath.slice(stagingFolder.length + 1)}: ${path}`).join(', ')})`,
  });
}

function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}
