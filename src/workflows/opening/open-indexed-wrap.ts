import { WrapReader } from '../../archive/wrap-reader.ts';
import { WrapStore } from '../../content/wrap-store.ts';
import { assembleWrap } from './assemble-wrap.ts';
import { findDocument, readFiles, requireEntries } from './indexed-files.ts';
import type { OpenedWrap } from './opened-wrap.ts';

/** Opens a wrap by its footer; undefined for a file without one. See `openWrap`. */
export async function openIndexedWrap(path: string): Promise<OpenedWrap | undefined> {
  const reader = await WrapReader.open(path);
  if (reader === undefined) return undefined;
  try {
    const { files, small, paths } = await readFiles(reader);
    const { document, topFolder } = findDocument(files, path);
    requireEntries(document, paths, path);
    const store = new WrapStore(reader, document, small);
    return assembleWrap({ path, files, document, topFolder, store }, async () => reader.close());
  } catch (error) {
    await reader.close();
    throw error;
  }
}
