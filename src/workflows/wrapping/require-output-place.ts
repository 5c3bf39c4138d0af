import { realpath } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { requireRegularOutput } from '../../archive/output-path.ts';
import { DtError, errorMessage } from '../../domain/errors.ts';
import { parsePartPath } from '../../domain/wrap/wrap-parts.ts';
import { makeFolders } from '../../files/make-folders.ts';
import { requireWritablePlace } from '../../files/output-place.ts';

/** Throws DT_OUTPUT_FAILED, before anything is fetched, if the wrap cannot be written there. A stream has no place. */
export async function requireOutputPlace(
  outputFile: string,
  { stream, skipPreflight }: { readonly stream?: Writable | undefined; readonly skipPreflight?: boolean },
): Promise<void> {
  if (stream !== undefined) return;
  await requireRegularOutput(outputFile);
  if (skipPreflight !== true) await requireWritablePlace(outputFile);
}

/** Throws DT_USAGE if the wrap, or a part of it, would take the place of a file that it is made from. */
export async function requireOtherFile(outputFile: string, inputs: readonly string[]): Promise<void> {
  const output = await findRealPath(outputFile);
  for (const input of inputs) {
    const path = await findRealPath(input);
    if (path !== output && parsePartPath(path)?.whole !== output) continue;
    throw new DtError('DT_USAGE', `${input} is read for the wrap and cannot be its output file`);
  }
}

async function findRealPath(path: string): Promise<string> {
  const inRealFolder = async (): Promise<string> => join(await realpath(dirname(path)), basename(path));
  return realpath(path)
    .catch(inRealFolder)
    .catch(() => resolve(path));
}

/** Throws DT_OUTPUT_FAILED. */
export async function createParentFolder(outputFile: string): Promise<void> {
  try {
    await makeFolders(dirname(outputFile));
  } catch (error) {
    throw new DtError('DT_OUTPUT_FAILED', `cannot create the folder of ${outputFile}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}
