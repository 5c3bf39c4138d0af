import type { Stats } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DtError, errorMessage, systemErrorCode } from '../domain/errors.ts';
import { checkEntryPath } from './entry-path.ts';

const MAX_FILES = 200_000;

/** A file or folder that goes into a layer. */
export interface BundleFile {
  /** In the layer; `.` for a folder that was given. */
  readonly path: string;
  readonly type: 'file' | 'directory';
  readonly mode: number;
  readonly sizeBytes: number;
  readonly realPath: string;
}

/**
 * What lies in files and folders, in the order in which it goes into a layer: each folder before its content, names in byte order.
 * `exclusions` are paths in the layer; an excluded folder takes its content with it. Throws DT_FILE_NOT_FOUND,
 * DT_FILE_UNREADABLE, DT_UNSAFE_ENTRY for links and devices, DT_USAGE for a file that comes twice.
 */
export async function listBundleFiles(
  places: readonly string[],
  exclusions: ReadonlySet<string>,
): Promise<readonly BundleFile[]> {
  const walk = new FileWalk(exclusions);
  for (const place of places) await walk.add(place);
  return walk.files;
}

class FileWalk {
  readonly files: BundleFile[] = [];
  readonly #exclusions: ReadonlySet<string>;
  readonly #taken = new Map<string, string>();

  constructor(exclusions: ReadonlySet<string>) {
    this.#exclusions = exclusions;
  }

  async add(place: string): Promise<void> {
    const stats = await readStats(place);
    if (stats.isDirectory()) {
      this.#push({ path: '.', type: 'directory', mode: stats.mode, sizeBytes: 0, realPath: place });
      await this.#addFolder(place, '');
    } else this.#addFile(basename(place), place, stats);
  }

  async #addFolder(folder: string, parent: string): Promise<void> {
    for (const name of await listNames(folder)) {
      const path = parent === '' ? name : `${parent}/${name}`;
      if (this.#exclusions.has(path)) continue;
      checkEntryPath(path);
      const realPath = join(folder, name);
      const stats = await readStats(realPath);
      if (stats.isDirectory()) {
        this.#push({ path, type: 'directory', mode: stats.mode, sizeBytes: 0, realPath });
        await this.#addFolder(realPath, path);
      } else this.#addFile(path, realPath, stats);
    }
  }

  #addFile(path: string, realPath: string, stats: Stats): void {
    if (this.#exclusions.has(path)) return;
    if (!stats.isFile()) {
      const kind = stats.isSymbolicLink() ? 'a symbolic link' : 'neither a file nor a folder';
      throw new DtError('DT_UNSAFE_ENTRY', `${realPath} cannot go into an image: it is ${kind}`);
    }
    const other = this.#taken.get(path);
    if (other !== undefined) {
      throw new DtError('DT_USAGE', `${path} comes twice: as ${other} and as ${realPath}`);
    }
    this.#taken.set(path, realPath);
    this.#push({ path, type: 'file', mode: stats.mode, sizeBytes: stats.size, realPath });
  }

  #push(file: BundleFile): void {
    if (this.files.length >= MAX_FILES) {
      throw new DtError('DT_LIMIT_EXCEEDED', `there are more than ${String(MAX_FILES)} files and folders`);
    }
    this.files.push(file);
  }
}

async function readStats(path: string): Promise<Stats> {
  try {
    return await lstat(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') {
      throw new DtError('DT_FILE_NOT_FOUND', `there is no file or folder ${path}`, { cause: error });
    }
    throw unreadable(path, error);
  }
}

async function listNames(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
  } catch (error) {
    throw unreadable(folder, error);
  }
}

function unreadable(path: string, error: unknown): DtError {
  return new DtError('DT_FILE_UNREADABLE', `cannot read ${path}: ${errorMessage(error)}`, { cause: error });
}
