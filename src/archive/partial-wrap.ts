import { open, type FileHandle } from 'node:fs/promises';
import { constants, crc32, gunzipSync } from 'node:zlib';
import { isDtError } from '../domain/errors.ts';
import { createDigestHash, digestHex, type Digest } from '../domain/oci/digest.ts';
import { GZIP_TRAILER_BYTES, gzipTrailer } from './gzip-member.ts';
import { hasGzipHeader, readStoredMember } from './stored-member.ts';
import { decodeTarHeader, type TarHeader, TAR_BLOCK_BYTES, tarPaddingBytes } from './tar-header.ts';
import { MAX_SMALL_MEMBER_BYTES, type LargeMember } from './wrap-plan.ts';

/** Several small members may lie in what is inflated together. */
const MAX_INFLATED_START_BYTES = 64 * MAX_SMALL_MEMBER_BYTES;
/** Deflated small members; a wrap with more of them fetches the rest again. */
const MAX_START_BYTES = 16 * MAX_SMALL_MEMBER_BYTES;

/** True if the member was finished by a former run and holds exactly the planned header, blob and padding. */
export async function readFinishedMember(handle: FileHandle, member: LargeMember, digest: Digest): Promise<boolean> {
  if (!(await hasGzipHeader(handle, member.offset))) return false;
  const headerBytes = member.tarHeader.length;
  const contentBytes = headerBytes + member.sizeBytes + tarPaddingBytes(member.sizeBytes);
  const hash = createDigestHash(digest);
  let crc = 0;
  let at = 0;
  try {
    for await (const chunk of readStoredMember(handle, { offset: member.offset, contentBytes }, 0, contentBytes)) {
      if (at === 0 && !chunk.subarray(0, headerBytes).equals(member.tarHeader)) return false;
      crc = crc32(chunk, crc);
      hash.update(chunk.subarray(Math.max(headerBytes - at, 0), Math.max(headerBytes + member.sizeBytes - at, 0)));
      at += chunk.length;
    }
  } catch (error) {
    if (isDtError(error)) return false;
    throw error;
  }
  const trailer = Buffer.alloc(GZIP_TRAILER_BYTES);
  await handle.read(trailer, 0, GZIP_TRAILER_BYTES, member.offset + member.length - GZIP_TRAILER_BYTES);
  return hash.digest('hex') === digestHex(digest) && trailer.equals(gzipTrailer(crc, contentBytes));
}

/** The text of one of the first small entries of a partial wrap; undefined if there is no such file or it does not have it. */
export async function readPartialText(partialPath: string, path: string): Promise<string | undefined> {
  const entry = (await readPartialStart(partialPath, MAX_START_BYTES)).find((candidate) => candidate.path === path);
  return entry?.bytes.toString('utf8');
}

/** What lies in the first small members of a partial wrap, unverified; nothing if there is no such file. */
export async function readPartialEntries(partialPath: string): Promise<readonly Buffer[]> {
  return (await readPartialStart(partialPath, MAX_START_BYTES)).map(({ bytes }) => bytes);
}

async function readPartialStart(partialPath: string, maxBytes: number): Promise<{ path: string; bytes: Buffer }[]> {
  let handle: FileHandle;
  try {
    handle = await open(partialPath, 'r');
  } catch {
    return [];
  }
  try {
    const { size } = await handle.stat();
    const raw = Buffer.alloc(Math.min(maxBytes, size));
    const { bytesRead } = await handle.read(raw, 0, raw.length, 0);
    return readEntries(inflateStart(raw.subarray(0, bytesRead)));
  } catch {
    return [];
  } finally {
    await handle.close();
  }
}

/** Inflates the first members although the bytes of later ones, or nothing, may follow. */
function inflateStart(raw: Buffer): Buffer {
  return gunzipSync(raw, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: MAX_INFLATED_START_BYTES });
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
