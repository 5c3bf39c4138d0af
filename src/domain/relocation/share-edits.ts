import type { ChartEntry, ChartTree } from '../chart/chart-tree.ts';
import type { RelocationChange } from './relocation-change.ts';

interface EditedTree {
  readonly tree: ChartTree;
  readonly changes: readonly RelocationChange[];
}

/**
 * The edited tree as it is once it has been written: paths of one file (a link and its target) have the same bytes, those of the
 * path with the most changes, and only its changes remain.
 */
export function shareEdits(before: ChartTree, edited: ChartTree, changes: readonly RelocationChange[]): EditedTree {
  const original = new Map(before.map(({ path, bytes }) => [path, bytes]));
  const winners = new Map<string, ChartEntry>();
  for (const entry of edited) {
    const { path, bytes, sharedFile } = entry;
    if (sharedFile === undefined || bytes === original.get(path)) continue;
    const known = winners.get(sharedFile);
    if (known === undefined || isAhead(entry, known, changes)) winners.set(sharedFile, entry);
  }
  if (winners.size === 0) return { tree: edited, changes };
  const winnerOf = ({ sharedFile }: ChartEntry): ChartEntry | undefined =>
    sharedFile === undefined ? undefined : winners.get(sharedFile);
  const others = edited.filter((entry) => (winnerOf(entry) ?? entry) !== entry);
  return {
    tree: edited.map((entry) => ({ ...entry, bytes: (winnerOf(entry) ?? entry).bytes })),
    changes: changes.filter(({ file }) => !others.some(({ path }) => isIn(path, file))),
  };
}

function isAhead(one: ChartEntry, other: ChartEntry, changes: readonly RelocationChange[]): boolean {
  const count = ({ path }: ChartEntry): number => changes.filter(({ file }) => isIn(path, file)).length;
  const difference = count(one) - count(other);
  // The user knows a file by its own path.
  return difference === 0 ? one.path === one.sharedFile : difference > 0;
}

/** True for the file itself, and for those that lie packed in it. */
function isIn(path: string, file: string): boolean {
  return file === path || file.startsWith(`${path}/`);
}
