import { DtError } from '../errors.ts';

/** One file or folder of a chart. Paths are relative to the chart folder, with `/`, without `./`, `..` or a leading slash. */
export interface ChartEntry {
  readonly path: string;
  readonly type: 'file' | 'directory';
  /** Permission bits only, those of `CHART_MODE_BITS`. */
  readonly mode: number;
  /** Empty for a directory. */
  readonly bytes: Uint8Array;
  /** Where the bytes lie in the folder that was read, if links give that file several paths: who writes one writes all. */
  readonly sharedFile?: string;
}

/** A whole chart in memory: charts are small, their size is limited by `MAX_CHART_BYTES`. Sorted by path, depth first. */
export type ChartTree = readonly ChartEntry[];

/** The sum of all files of a chart, unpacked. Helm 4 refuses more than 100 MiB. */
export const MAX_CHART_BYTES = 100 * 1024 * 1024;
export const MAX_CHART_ENTRIES = 20_000;

/** The values of a chart. https://helm.sh/docs/topics/charts/#values-files */
export const VALUES_FILE_NAME = 'values.yaml';

/** What a chart keeps of the mode of a file. */
export const CHART_MODE_BITS = 0o777;

const IMPLIED_FOLDER_MODE = 0o755;

/**
 * The tree of entries in any order: of several with one path the last counts, folders that are only implied by a path are
 * added. Throws DT_CHART_INVALID if a path is a file and a folder at once, DT_LIMIT_EXCEEDED for too many folders.
 */
export function buildChartTree(entries: readonly ChartEntry[]): ChartTree {
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  for (const { path } of [...byPath.values()]) {
    for (let slash = path.lastIndexOf('/'); slash !== -1; slash = path.lastIndexOf('/', slash - 1)) {
      const folder = path.slice(0, slash);
      const known = byPath.get(folder);
      if (known?.type === 'file') {
        throw new DtError('DT_CHART_INVALID', `the chart has "${folder}" both as a file and as a folder`);
      }
      // A known folder has its own parents already, or gets them in its own turn.
      if (known !== undefined) break;
      if (byPath.size >= MAX_CHART_ENTRIES) {
        throw new DtError(
          'DT_LIMIT_EXCEEDED',
          `the chart has more than ${String(MAX_CHART_ENTRIES)} files and folders`,
        );
      }
      byPath.set(folder, { path: folder, type: 'directory', mode: IMPLIED_FOLDER_MODE, bytes: new Uint8Array() });
    }
  }
  return sortChartTree([...byPath.values()]);
}

/** The part of the tree under a folder, with paths relative to that folder. */
export function subtreeOf(tree: ChartTree, folder: string): ChartTree {
  const prefix = `${folder}/`;
  return tree
    .filter((entry) => entry.path.startsWith(prefix))
    .map((entry) => ({ ...entry, path: entry.path.slice(prefix.length) }));
}

/** Sum of the sizes of all files. */
export function chartTreeSizeBytes(tree: ChartTree): number {
  return tree.reduce((sum, entry) => sum + entry.bytes.length, 0);
}

/** The file at the path, or undefined. */
export function findChartFile(tree: ChartTree, path: string): ChartEntry | undefined {
  return tree.find((entry) => entry.type === 'file' && entry.path === path);
}

/** Depth first; in a folder by byte order of the names; a folder right before its content. */
export function sortChartTree(entries: readonly ChartEntry[]): ChartTree {
  // NUL sorts before every other byte, so "a/b" comes before "a-b" exactly as a depth-first walk meets them.
  const key = (path: string): Buffer => Buffer.from(path.replaceAll('/', '\0'));
  return entries
    .map((entry) => ({ entry, key: key(entry.path) }))
    .sort((left, right) => Buffer.compare(left.key, right.key))
    .map(({ entry }) => entry);
}
