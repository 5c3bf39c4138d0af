import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LOCK_FILE_NAME } from '../../domain/lock/images-lock.ts';
import { parseImagesLock } from '../../domain/lock/parse-lock.ts';
import { listFolder } from './list-paths.ts';

/** Reading more takes longer than somebody waits for a completion. */
const MAX_LOCKS = 20;
const MAX_LOCK_BYTES = 1024 * 1024;

/** The images in the Images.lock of the working directory, and of the charts in it. */
export async function listLockedImages(): Promise<string[]> {
  const folders = ((await listFolder('.', '')) ?? []).filter((entry) => entry.isFolder).map(({ name }) => name);
  const images = new Set<string>();
  let count = 0;
  for (const folder of ['.', ...folders.toSorted()]) {
    const text = await readLock(join(folder, LOCK_FILE_NAME));
    if (text === undefined) continue;
    for (const image of parseImages(text)) images.add(image);
    if (++count === MAX_LOCKS) break;
  }
  return [...images].toSorted();
}

async function readLock(path: string): Promise<string | undefined> {
  try {
    const stats = await stat(path);
    return stats.isFile() && stats.size <= MAX_LOCK_BYTES ? await readFile(path, 'utf8') : undefined;
  } catch {
    return undefined;
  }
}

function parseImages(text: string): string[] {
  try {
    return parseImagesLock(text, LOCK_FILE_NAME).images.map(({ image }) => image);
  } catch {
    return [];
  }
}
