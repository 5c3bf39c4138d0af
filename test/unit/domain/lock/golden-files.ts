import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Cases that were recorded from the real tools. */
export const GOLDEN_FOLDER = join(import.meta.dirname, '../../../../../shared/formats/golden');

/** All files under the golden folder (or a part of it) whose path matches, sorted. */
export function listGoldenFiles(pattern: RegExp, part = ''): string[] {
  return readdirSync(join(GOLDEN_FOLDER, part), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(GOLDEN_FOLDER, join(entry.parentPath, entry.name)))
    .filter((path) => pattern.test(path))
    .sort();
}

export function readGoldenText(path: string): string {
  return readFileSync(join(GOLDEN_FOLDER, path), 'utf8');
}
