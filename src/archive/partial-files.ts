import { lstat, rename, rm } from 'node:fs/promises';
import { partPath } from '../domain/wrap/wrap-parts.ts';
import { readAllocatedBytes } from '../files/output-place.ts';
import { PARTIAL_EXTENSION } from './output-path.ts';
import { listParts } from './part-files.ts';

/**
 * What an interrupted run has left, in the order of its bytes: `X.partial`, or `X.001.partial` and its siblings. One that was interrupted while
 * it gave the parts their names has named the last ones: the first goes last.
 */
export async function listPartialFiles(outputPath: string): Promise<readonly string[]> {
  const [partials, parts] = await Promise.all([listParts(outputPath, PARTIAL_EXTENSION), listParts(outputPath)]);
  const whole = outputPath + PARTIAL_EXTENSION;
  if (partials.get(1)?.isRegular !== true) return (await isRegularFile(whole)) ? [whole] : [];
  const files: string[] = [];
  for (let number = 1; ; number++) {
    const file = partials.get(number) ?? (parts.has(1) ? undefined : parts.get(number));
    if (file?.isRegular !== true) return files;
    files.push(file.path);
  }
}

/** The space that an interrupted run takes, and that the next one needs not. */
export async function countPartialBytes(outputPath: string): Promise<number> {
  const files = new Set(await listPartialFiles(outputPath));
  for (const { path, isRegular } of (await listParts(outputPath, PARTIAL_EXTENSION)).values()) {
    if (isRegular) files.add(path);
  }
  files.add(outputPath + PARTIAL_EXTENSION);
  const sizes = await Promise.all([...files].map(readAllocatedBytes));
  return sizes.reduce((sum, bytes) => sum + bytes, 0);
}

/** Gives parts that have their names already those of a partial file again, so that the run that was interrupted there can end. */
export async function takeBackParts(outputPath: string, lengths: readonly number[]): Promise<void> {
  const files = await listPartialFiles(outputPath);
  for (const [index, length] of lengths.entries()) {
    const path = partPath(outputPath, index + 1);
    if (files[index] === path && (await lstat(path)).size === length) await rename(path, path + PARTIAL_EXTENSION);
  }
}

/** Removes what runs with parts of another size, or with none, have left. */
export async function removeOtherPartials(outputPath: string, own: readonly string[]): Promise<void> {
  const partials = [...(await listParts(outputPath, PARTIAL_EXTENSION)).values()].map(({ path }) => path);
  for (const path of [...partials, outputPath + PARTIAL_EXTENSION]) {
    if (!own.includes(path)) await removeRegularFile(path);
  }
}

/** Removes a file, and nothing else under this name. Returns whether there was one. */
export async function removeRegularFile(path: string): Promise<boolean> {
  if (!(await isRegularFile(path))) return false;
  await rm(path, { force: true });
  return true;
}

async function isRegularFile(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isFile();
  } catch {
    return false;
  }
}
