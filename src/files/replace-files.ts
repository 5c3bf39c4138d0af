import { randomUUID } from 'node:crypto';
import type { Stats } from 'node:fs';
import { chmod, chown, lstat, mkdir, readFile, realpath, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { outputErrorCode } from '../domain/error-rules.ts';
import { DtError, errorMessage, systemErrorCode } from '../domain/errors.ts';

/** A file with its new content. */
export interface FileReplacement {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** What the new content was made from, undefined where there was no file: one that says something else by now is not replaced. */
  readonly expectedBytes: Uint8Array | undefined;
  /** Permission bits of a file that was not there; one that was keeps its own. */
  readonly newMode?: number;
}

/** A file with both contents, ready to be renamed to it. */
interface StagedFile {
  readonly path: string;
  /** Behind all links. */
  readonly realPath: string;
  readonly newPath: string;
  /** Undefined for a file that was not there. */
  readonly oldPath: string | undefined;
  readonly replacement: FileReplacement;
}

/** Both contents side by side, and what had to be made for them. */
interface Stage {
  readonly folder: string;
  readonly createdFolders: string[];
}

const STAGING_FOLDER = /^\.dt-replacing-[\da-f-]{36}\.tmp$/;

/** True for the folder that `replaceFiles` works in, and that a killed run leaves behind. */
export function isStagingFolderName(name: string): boolean {
  return STAGING_FOLDER.test(name);
}

/**
 * Gives files other contents: all of them, or none. Old and new contents are written to a hidden folder in `folder` first, which has
 * to be on the file system of the files; a link stays one, a mode too. The folder of a new file is made, if only that one is missing.
 * Throws DT_OUTPUT_FAILED, also if a file is not as expected, and DT_DISK_FULL; the error names the files that could not get their old
 * content back, and where that is.
 *
 * A run that is killed between two renames leaves some files replaced, each of them complete, and the hidden folder: chart
 * folders are read without it, and `*.tmp` is in the .helmignore of `helm create`. Whoever replaces files by what an idempotent change gives
 * ends right with the same run again.
 */
export async function replaceFiles(folder: string, files: readonly FileReplacement[]): Promise<void> {
  const stagingFolder = join(folder, `.dt-replacing-${randomUUID()}.tmp`);
  const stage: Stage = { folder: stagingFolder, createdFolders: [] };
  const replaced: StagedFile[] = [];
  try {
    await mkdir(stagingFolder);
    const staged = await stageFiles(stage, files);
    // Last of all: the user may edit files at any time.
    for (const file of staged) await requireUnchanged(file);
    for (const file of staged) {
      await rename(file.newPath, file.realPath);
      replaced.push(file);
    }
  } catch (error) {
    const changed = await rollBack(replaced);
    for (const created of stage.createdFolders) await removeEmptyFolder(created);
    if (changed.length === 0) await removeFolder(stagingFolder);
    throw describeFailure(error, changed, stagingFolder);
  }
  await removeFolder(stagingFolder);
}

async function stageFiles(stage: Stage, files: readonly FileReplacement[]): Promise<readonly StagedFile[]> {
  const byRealPath = new Map<string, StagedFile>();
  for (const file of files) {
    const { path, bytes, expectedBytes, newMode } = file;
    const realPath = expectedBytes === undefined ? await findNewPlace(path, stage) : await realpath(path);
    const same = byRealPath.get(realPath);
    if (same !== undefined) {
      if (isEqual(same.replacement.bytes, bytes)) continue;
      throw new DtError('DT_OUTPUT_FAILED', `${same.path} and ${path} are one file and cannot differ`);
    }
    const [newPath, oldPath] = ['new', 'old'].map((kind) =>
      join(stage.folder, `${String(byRealPath.size)}.${kind}`),
    ) as [string, string];
    if (expectedBytes === undefined) {
      await writeFile(newPath, bytes, { mode: newMode, flag: 'wx' });
    } else {
      const stats = await stat(realPath);
      await writeLike(stats, newPath, bytes);
      await writeLike(stats, oldPath, expectedBytes);
    }
    const old = expectedBytes === undefined ? undefined : oldPath;
    byRealPath.set(realPath, { path, realPath, newPath, oldPath: old, replacement: file });
  }
  return [...byRealPath.values()];
}

/** Where a new file will lie. */
async function findNewPlace(path: string, { createdFolders }: Stage): Promise<string> {
  const folder = dirname(path);
  try {
    await mkdir(folder);
    createdFolders.push(folder);
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
  }
  return join(await realpath(folder), basename(path));
}

/** With the mode of the file it stands for, and its owner where we may give files away. */
async function writeLike({ mode, uid, gid }: Stats, path: string, bytes: Uint8Array): Promise<void> {
  await writeFile(path, bytes, { mode: mode & 0o777, flag: 'wx' });
  if (process.geteuid?.() === 0) await chown(path, uid, gid);
  // The umask takes bits off the mode of a new file.
  await chmod(path, mode & 0o777);
}

async function requireUnchanged({ path, realPath, replacement }: StagedFile): Promise<void> {
  const { expectedBytes } = replacement;
  if (expectedBytes === undefined ? await isAbsent(realPath) : isEqual(await readFile(realPath), expectedBytes)) return;
  throw new DtError('DT_OUTPUT_FAILED', `${path} was changed meanwhile`);
}

async function isAbsent(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return false;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return true;
    throw error;
  }
}

/** Gives back the files that it could not put back. */
async function rollBack(replaced: readonly StagedFile[]): Promise<readonly StagedFile[]> {
  const failed: StagedFile[] = [];
  for (const file of replaced) {
    try {
      await (file.oldPath === undefined ? rm(file.realPath) : rename(file.oldPath, file.realPath));
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

/** Somebody may have put something into it by now. */
async function removeEmptyFolder(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch {}
}

function describeFailure(error: unknown, changed: readonly StagedFile[], stagingFolder: string): DtError {
  const code = outputErrorCode(error);
  if (changed.length === 0) {
    return new DtError(code, `nothing was changed: ${errorMessage(error)}`, { cause: error });
  }
  const paths = changed.map(({ path }) => path).join(', ');
  return new DtError(code, `not all files could be replaced, and ${paths} stayed changed: ${errorMessage(error)}`, {
    cause: error,
    detail: `the old content is in ${stagingFolder} (${changed.flatMap(({ path, oldPath }) => (oldPath === undefined ? [] : [`${oldPath.slice(stagingFolder.length + 1)}: ${path}`])).join(', ')})`,
  });
}

function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  return Buffer.compare(left, right) === 0;
}
