import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ANY_FILE, isPlainWord, toWords, type Completion } from './completion.ts';

/** Of larger folders the shell lists the files. */
const MAX_ENTRIES = 10_000;

/** Which files and folders are offered. Other folders are offered as well, for what may be in them. */
export interface PathChoice {
  /** Endings of the files, without the first dot. */
  readonly extensions: readonly string[];
  /** A folder in which there is a file of this name is offered as it is. */
  readonly markerFile?: string;
}

interface FolderEntry {
  readonly name: string;
  readonly isFolder: boolean;
}

/**
 * The paths that a word may become. What only the shell can spell right is left to it: names that have to be quoted, and
 * places below the home folder, of which nobody here knows whether they were typed as `~`.
 */
export async function listPaths(word: string, choice: PathChoice, home: string | undefined): Promise<Completion> {
  const leftToShell: Completion = { kind: 'files', extensions: choice.extensions };
  const isBelowHome = home !== undefined && home !== '' && word.startsWith(join(home, '/'));
  if ((word !== '' && !isPlainWord(word)) || isBelowHome) return leftToShell;
  const folder = word.slice(0, word.lastIndexOf('/') + 1);
  const entries = await listFolder(folder === '' ? '.' : folder, word.slice(folder.length));
  if (entries === undefined) return ANY_FILE;
  const paths: string[] = [];
  for (const { name, isFolder } of entries) {
    if (!isFolder && !choice.extensions.some((extension) => name.endsWith(`.${extension}`))) continue;
    if (!isPlainWord(folder + name)) return leftToShell;
    const isWhole = !isFolder || (await hasFile(join(folder, name), choice.markerFile));
    paths.push(isWhole ? folder + name : `${folder}${name}/`);
  }
  return paths.length === 0 ? ANY_FILE : toWords(paths.toSorted());
}

/** What is in a folder under names that begin so, but for hidden files; undefined for one that cannot be read or is too large. */
export async function listFolder(folder: string, start: string): Promise<FolderEntry[] | undefined> {
  const found: FolderEntry[] = [];
  let count = 0;
  try {
    for await (const entry of await opendir(folder)) {
      if (++count > MAX_ENTRIES) return undefined;
      const { name } = entry;
      if (!name.startsWith(start) || (name.startsWith('.') && !start.startsWith('.'))) continue;
      found.push({ name, isFolder: entry.isDirectory() || (entry.isSymbolicLink() && (await isFolder(folder, name))) });
    }
  } catch {
    return undefined;
  }
  return found;
}

async function isFolder(folder: string, name: string): Promise<boolean> {
  try {
    return (await stat(join(folder, name))).isDirectory();
  } catch {
    return false;
  }
}

async function hasFile(folder: string, name: string | undefined): Promise<boolean> {
  if (name === undefined) return false;
  try {
    return (await stat(join(folder, name))).isFile();
  } catch {
    return false;
  }
}
