import type { WrapEntry } from '../../archive/wrap-plan.ts';
import type { ChartTree } from '../../domain/chart/chart-tree.ts';
import { LOCK_FILE_NAME } from '../../domain/lock/images-lock.ts';

const FILE_MODE = 0o644;

/** An ordinary file of a wrap. */
export function fileEntry(path: string, bytes: Uint8Array): WrapEntry {
  return { kind: 'file', path, mode: FILE_MODE, bytes };
}

/** The files and folders of a chart below a folder, but for its lock: that has a place, and a text, of its own. */
export function chartEntries(tree: ChartTree, folder: string): WrapEntry[] {
  return tree
    .filter(({ path }) => path !== LOCK_FILE_NAME)
    .map(({ path, type, mode, bytes }): WrapEntry =>
      type === 'directory'
        ? { kind: 'directory', path: `${folder}/${path}`, mode }
        : { kind: 'file', path: `${folder}/${path}`, mode, bytes },
    );
}
