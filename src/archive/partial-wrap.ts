import type { FileHandle } from 'node:fs/promises';
import { constants, gunzipSync } from 'node:zlib';
import { openWithoutWaiting } from './part-files.ts';
import { listPartialFiles } from './partial-files.ts';
import { SegmentedFile } from './segmented-file.ts';
import { decodeTarHeader, type TarHeader, TAR_BLOCK_BYTES, tarPaddingBytes } from './tar-header.ts';
import { MAX_SMALL_MEMBER_BYTES } from './wrap-plan.ts';

/** Several small members may lie in what is inflated together. */
const MAX_INFLATED_START_BYTES = 64 * MAX_SMALL_MEMBER_BYTES;
/** Deflated small members; a wrap with more of them fetches the rest again. */
const MAX_START_BYTES = 16 * MAX_SMALL_MEMBER_BYTES;

/** The text of one of the first small entries of what an interrupted run has left of an output; undefined without it. */
export async function readPartialText(outputPath: string, path: string): Promise<string | undefined> {
  const entry = (await readPartialStart(outputPath)).find((candidate) => candidate.path === path);
  return entry?.bytes.toString('utf8');
}

/** What lies in its first small members, unverified; nothing if nothing was left. */
export async function readPartialEntries(outputPath: string): Promise<readonly Buffer[]> {
  return (await readPartialStart(outputPath)).map(({ bytes }) => bytes);
}

async function readPartialStart(outputPath: string): Promise<{ path: string; bytes: Buffer }[]> {
  try {
    return readEntries(inflateStart(await readStart(await listPartialFiles(outputPath))));
  } catch {
    return [];
  }
}

/** The first bytes of files that belong together. */
async function readStart(paths: readonly string[]): Promise<Buffer> {
  const handles: FileHandle[] = [];
  const lengths: number[] = [];
  let totalBytes = 0;
  try {
    for (const path of paths) {
      if (totalBytes >= MAX_START_BYTES) break;
      const handle = await openWithoutWaiting(path);
      handles.push(handle);
      const { size } = await handle.stat();
      lengths.push(size);
      totalBytes += size;
    }
    const raw = Buffer.alloc(Math.min(MAX_START_BYTES, totalBytes));
    return raw.subarray(0, await new SegmentedFile(handles, lengths).read([raw], 0));
  } finally {
    await Promise.all(handles.map(async (handle) => handle.close()));
  }
}

/** Inflates the first members although the bytes of later ones, or nothing, may follow. */
function inflateStart(raw: Buffer): Buffer {
  return gunzipSync(raw, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: MAX_INFLATED_START_BYTES });
}

/** The path of the first entry of a gzip tar of which only the start is known; undefined if it is none. */
export function readFirstEntryPath(raw: Buffer): string | undefined {
  try {
    return readHeader(inflateStart(raw))?.path;
  } catch {
    return undefined;
  }
}

/** What follows the small members need not be tar. */
function readHeader(tar: Buffer): TarHeader | undefined {
  try {
    return decodeTarHeader(tar);
  } catch {
    return undefined;
  }
}

function readEntries(tar: Buffer): { path: string; bytes: Buffer }[] {
  const entries: { path: string; bytes: Buffer }[] = [];
  for (let at = 0; at + TAR_BLOCK_BYTES <= tar.length;) {
    const header = readHeader(tar.subarray(at));
    if (header === undefined) break;
    const start = at + header.headerBytes;
    const end = start + header.sizeBytes;
    if (end > tar.length) break;
    entries.push({ path: header.path, bytes: tar.subarray(start, end) });
    at = end + tarPaddingBytes(header.sizeBytes);
  }
  return entries;
}
