import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ChartTree } from '../domain/chart/chart-tree.ts';
import { checkEntryPath } from '../archive/entry-path.ts';

/**
 * A chart in a folder of its own, written file by file: whatever was a link is a file here. A later tree costs only what
 * differs.
 */
export class ChartCopy {
  readonly #folder: string;
  /** What lies in the folder; undefined for a file that was begun. */
  readonly #files = new Map<string, Uint8Array | undefined>();
  readonly #folders = new Set<string>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Makes the folder hold this tree and nothing else, also after a failure. Throws DT_UNSAFE_ENTRY and system errors. */
  async write(tree: ChartTree): Promise<void> {
    const next = new Map<string, Uint8Array>();
    for (const { path, type, bytes } of tree) if (type === 'file') next.set(checkEntryPath(path), bytes);
    for (const path of [...this.#files.keys()]) {
      if (next.has(path)) continue;
      await rm(join(this.#folder, path), { force: true });
      this.#files.delete(path);
    }
    for (const [path, bytes] of next) {
      if (this.#files.get(path) === bytes) continue;
      const file = join(this.#folder, path);
      await this.#makeFolder(dirname(file));
      this.#files.set(path, undefined);
      await writeFile(file, bytes, { mode: 0o600 });
      this.#files.set(path, bytes);
    }
  }

  async #makeFolder(folder: string): Promise<void> {
    if (this.#folders.has(folder)) return;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    this.#folders.add(folder);
  }
}
