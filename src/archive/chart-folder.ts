import { constants } from 'node:fs';
import { lstat, open, readdir, realpath } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import {
  buildChartTree,
  CHART_MODE_BITS,
  MAX_CHART_BYTES,
  MAX_CHART_ENTRIES,
  type ChartEntry,
  type ChartTree,
} from '../domain/chart/chart-tree.ts';
import { DtError, isDtError, systemErrorCode } from '../domain/errors.ts';
import { withoutPulledImages } from '../domain/wrap/pulled-images.ts';
import { isStagingFolderName } from '../files/replace-files.ts';
import { checkEntryPath } from './entry-path.ts';

/** A file or folder of the chart, and where it really lies. */
interface Place {
  /** In the chart; empty for the chart folder itself. */
  readonly path: string;
  /** On disk, without links. */
  readonly realPath: string;
  /** The real folders that contain it, by way of links too. */
  readonly ancestors: ReadonlySet<string>;
}

/**
 * Reads a chart folder into memory with hidden files, empty folders and modes. Links are replaced by what they point to, and
 * files with several paths say so; a link that leaves the folder would carry other files of this machine away. What a killed
 * run of dt left, or `images pull` has put there, is no part of it. Throws DT_FILE_NOT_FOUND, DT_FILE_UNREADABLE,
 * DT_CHART_INVALID if it is no folder or a link is broken, DT_UNSAFE_ENTRY for links out of the folder or in a circle, pipes
 * and devices, DT_CHART_TOO_LARGE.
 */
export async function readChartFolder(folder: string): Promise<ChartTree> {
  try {
    return await new ChartFolderReader(folder, await realpath(folder)).read();
  } catch (error) {
    if (isDtError(error)) throw error;
    const code = systemErrorCode(error);
    if (code === 'ENOENT') throw new DtError('DT_FILE_NOT_FOUND', `there is no folder ${folder}`, { cause: error });
    if (code === undefined) throw error;
    throw new DtError('DT_FILE_UNREADABLE', `cannot read the chart folder ${folder} (${code})`, { cause: error });
  }
}

class ChartFolderReader {
  readonly #folder: string;
  readonly #root: string;
  readonly #entries: ChartEntry[] = [];
  /** Of every file of `#entries`, by its path. */
  readonly #realPaths = new Map<string, string>();
  #totalBytes = 0;

  constructor(folder: string, root: string) {
    this.#folder = folder;
    this.#root = root;
  }

  async read(): Promise<ChartTree> {
    if (!(await lstat(this.#root)).isDirectory()) {
      throw new DtError('DT_CHART_INVALID', `${this.#folder} is not a folder`);
    }
    await this.#readFolder({ path: '', realPath: this.#root, ancestors: new Set() });
    return buildChartTree(this.#nameSharedFiles());
  }

  async #readFolder(place: Place): Promise<void> {
    if (place.ancestors.has(place.realPath)) throw this.#refuse(place.path, 'its links go in a circle');
    const ancestors = new Set(place.ancestors).add(place.realPath);
    for (const name of await listChartNames(place.realPath)) {
      const path = checkEntryPath(place.path === '' ? name : `${place.path}/${name}`);
      await this.#readPlace({ path, realPath: await this.#resolve(path, join(place.realPath, name)), ancestors });
    }
  }

  async #readPlace(place: Place): Promise<void> {
    const stats = await lstat(place.realPath);
    const mode = stats.mode & CHART_MODE_BITS;
    if (this.#entries.length >= MAX_CHART_ENTRIES) throw this.#exceed(`${String(MAX_CHART_ENTRIES)} files and folders`);
    if (stats.isDirectory()) {
      if (await holdsPulledImagesOnly(place.realPath)) return;
      this.#entries.push({ path: place.path, type: 'directory', mode, bytes: new Uint8Array() });
      await this.#readFolder(place);
    } else if (stats.isFile()) {
      this.#entries.push({ path: place.path, type: 'file', mode, bytes: await this.#readFile(place) });
      this.#realPaths.set(place.path, place.realPath);
    } else {
      throw this.#refuse(place.path, 'it is neither a file nor a folder');
    }
  }

  /** Where a name really lies. */
  async #resolve(path: string, location: string): Promise<string> {
    if (!(await lstat(location)).isSymbolicLink()) return location;
    const target = await realpath(location).catch((error: unknown) => {
      const code = systemErrorCode(error);
      if (code === 'ELOOP') throw this.#refuse(path, 'its links go in a circle');
      if (code !== 'ENOENT') throw error;
      throw new DtError('DT_CHART_INVALID', `the link ${path} in ${this.#folder} is broken`, { cause: error });
    });
    const fromRoot = relative(this.#root, target);
    if (fromRoot === '..' || fromRoot.startsWith(`..${sep}`)) throw this.#refuse(path, 'it is a link out of the chart');
    return target;
  }

  async #readFile({ path, realPath }: Place): Promise<Uint8Array> {
    // The file may have been replaced by a link or a pipe since it was looked at.
    const handle = await open(realPath, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) throw this.#refuse(path, 'it is not a file');
      this.#totalBytes += stats.size;
      if (this.#totalBytes > MAX_CHART_BYTES) throw this.#exceed(`${String(MAX_CHART_BYTES)} bytes`);
      return await handle.readFile();
    } finally {
      await handle.close();
    }
  }

  #nameSharedFiles(): readonly ChartEntry[] {
    const counts = new Map<string, number>();
    for (const realPath of this.#realPaths.values()) counts.set(realPath, (counts.get(realPath) ?? 0) + 1);
    return this.#entries.map((entry) => {
      const realPath = this.#realPaths.get(entry.path);
      if (realPath === undefined || counts.get(realPath) === 1) return entry;
      return { ...entry, sharedFile: relative(this.#root, realPath).replaceAll(sep, '/') };
    });
  }

  #refuse(path: string, why: string): DtError {
    return new DtError('DT_UNSAFE_ENTRY', `${JSON.stringify(path)} in ${this.#folder} is refused: ${why}`);
  }

  #exceed(limit: string): DtError {
    return new DtError('DT_CHART_TOO_LARGE', `the chart ${this.#folder} has more than ${limit}`);
  }
}

async function listChartNames(folder: string): Promise<string[]> {
  return withoutPulledImages(await readdir(folder))
    .filter((name) => !isStagingFolderName(name))
    .sort();
}

async function holdsPulledImagesOnly(folder: string): Promise<boolean> {
  const names = await readdir(folder);
  return names.length > 0 && withoutPulledImages(names).length === 0;
}
