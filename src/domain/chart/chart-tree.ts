/** One file or folder of a chart. Paths are relative to the chart folder, with `/`, without `./`, `..` or a leading slash. */
export interface ChartEntry {
  readonly path: string;
  readonly type: 'file' | 'directory';
  /** Permission bits only (0o755). */
  readonly mode: number;
  /** Empty for a directory. */
  readonly bytes: Uint8Array;
}

/** A whole chart in memory: charts are small, their size is limited by `MAX_CHART_BYTES`. Sorted by path, depth first. */
export type ChartTree = readonly ChartEntry[];

/** The sum of all files of a chart, unpacked. Helm 4 refuses more than 100 MiB. */
export const MAX_CHART_BYTES = 100 * 1024 * 1024;
export const MAX_CHART_ENTRIES = 20_000;

/** The file at the path, or undefined. */
export function findChartFile(tree: ChartTree, path: string): ChartEntry | undefined {
  return tree.find((entry) => entry.type === 'file' && entry.path === path);
}

/** The tree with one file added or replaced; a replaced file keeps its mode. */
export function withChartFile(tree: ChartTree, path: string, bytes: Uint8Array, mode = 0o644): ChartTree {
  const old = findChartFile(tree, path);
  const entry: ChartEntry = { path, type: 'file', mode: old?.mode ?? mode, bytes };
  return sortChartTree([...tree.filter((other) => other !== old), entry]);
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
