import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { toOutputError } from '../../archive/output-path.ts';
import { DtError, errorMessage, isDtError } from '../../domain/errors.ts';
import { IMAGES_FOLDER } from '../../domain/wrap/wrap-document.ts';
import { MAX_WRAP_DOCUMENT_BYTES } from '../../domain/wrap/wrap-limits.ts';
import {
  formatPulledImages,
  mergePulledImages,
  parsePulledImages,
  PULL_LOCK_NAME,
  PULL_STAGING_NAME,
  PULLED_IMAGES_NAME,
  type PulledImage,
} from '../../domain/wrap/pulled-images.ts';
import { ContainedFolder } from '../../files/contained-folder.ts';
import { makeFolders } from '../../files/make-folders.ts';
import { acquireOutputLock } from '../../files/output-lock.ts';
import type { LocalChart } from '../locking/chart-lock-file.ts';

/** The folder that the layouts of a pull go to. */
export interface LayoutsFolder {
  readonly folder: ContainedFolder;
  /** For files on their way, emptied before and after. */
  readonly stagingFolder: string;
}

/**
 * Where the layouts of a chart are: in the folder given, else in `images` of the chart, which is no link out of it, or the chart could
 * not have been read. Makes it if it is missing.
 */
export async function makeLayoutsFolder(chart: LocalChart, imagesFolder: string | undefined): Promise<ContainedFolder> {
  const path = imagesFolder ?? join(chart.folder, IMAGES_FOLDER);
  try {
    await makeFolders(path);
  } catch (error) {
    throw new DtError('DT_OUTPUT_FAILED', `cannot create ${path}: ${errorMessage(error)}`, { cause: error });
  }
  return requireFolder(path);
}

/** The same for a folder that has to be there. Throws DT_FILE_NOT_FOUND. */
export function findLayoutsFolder(chart: LocalChart, imagesFolder: string | undefined): Promise<ContainedFolder> {
  return requireFolder(imagesFolder ?? join(chart.folder, IMAGES_FOLDER));
}

async function requireFolder(path: string): Promise<ContainedFolder> {
  const folder = await ContainedFolder.open(path);
  if (folder !== undefined) return folder;
  throw new DtError('DT_FILE_NOT_FOUND', `there is no folder ${path}: the images have not been pulled`, {
    hints: ['{bin} images pull CHART'],
  });
}

/** Runs a pull: one at a time in a folder, so that what a killed one left can go. Throws DT_OUTPUT_BUSY. */
export async function withLayoutsFolder<T>(
  folder: ContainedFolder,
  run: (layouts: LayoutsFolder) => Promise<T>,
): Promise<T> {
  const release = await acquireOutputLock(join(folder.path, PULL_LOCK_NAME), folder.path);
  const staging = join(folder.path, PULL_STAGING_NAME);
  try {
    await rm(staging, { recursive: true, force: true });
    const stagingFolder = await folder.makeFolder(PULL_STAGING_NAME);
    return await run({ folder, stagingFolder });
  } finally {
    await rm(staging, { recursive: true, force: true });
    await release();
  }
}

/** What was pulled into the folder, as far as it says; the Go tool writes nothing of the kind. */
export async function readPulledImages(folder: ContainedFolder): Promise<PulledImage[]> {
  const handle = await folder.openFile(PULLED_IMAGES_NAME);
  if (handle === undefined) return [];
  try {
    if ((await handle.stat()).size > MAX_WRAP_DOCUMENT_BYTES) {
      throw new DtError('DT_LIMIT_EXCEEDED', `${PULLED_IMAGES_NAME} in ${folder.path} is too large`);
    }
    return parsePulledImages(await handle.readFile());
  } finally {
    await handle.close();
  }
}

/** Adds to what was pulled into the folder. What it says of itself is made anew if it cannot be read. */
export async function recordPulledImages(
  { folder, stagingFolder }: LayoutsFolder,
  images: readonly PulledImage[],
): Promise<void> {
  let before: readonly PulledImage[] = [];
  try {
    before = await readPulledImages(folder);
  } catch (error) {
    if (!isDtError(error)) throw error;
  }
  const bytes = formatPulledImages(mergePulledImages(before, images));
  const path = join(folder.path, PULLED_IMAGES_NAME);
  const staged = join(stagingFolder, PULLED_IMAGES_NAME);
  try {
    await writeFile(staged, bytes);
    // A link in its place is replaced, not followed.
    await rename(staged, path);
  } catch (error) {
    throw toOutputError(error, path);
  }
}
