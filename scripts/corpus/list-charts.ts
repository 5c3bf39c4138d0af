import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

const MAX_DEPTH = 5;

/** The complete charts in a folder, at any depth; subcharts belong to their chart. Packed charts count too. */
export async function listCharts(folder: string, depth = 0): Promise<string[]> {
  if (existsSync(join(folder, 'Chart.yaml'))) return [folder];
  if (depth === MAX_DEPTH) return [];
  const entries = await readdir(folder, { withFileTypes: true });
  const found = await Promise.all(
    entries
      .filter(({ name }) => !name.startsWith('.'))
      .map(async (entry) => {
        const path = join(folder, entry.name);
        if (entry.isDirectory()) return listCharts(path, depth + 1);
        return entry.isFile() && /\.tgz$/.test(entry.name) ? [path] : [];
      }),
  );
  return found.flat().sort();
}
