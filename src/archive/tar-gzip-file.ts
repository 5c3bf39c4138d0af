import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { constants, createGzip, type Gzip, type ZlibParams } from 'node:zlib';
import type { Digest } from '../domain/oci/digest.ts';
import { checkEntryPath } from './entry-path.ts';
import { encodeTarHeader, TAR_END_BYTES, tarPaddingBytes } from './tar-header.ts';
import { LARGE_ENTRY_BYTES, type WrapEntry } from './wrap-plan.ts';

const BLOB_MODE = 0o644;

export interface TarGzipOptions {
  /** The time of every entry. */
  readonly mtimeSeconds: number;
  readonly signal: AbortSignal;
  /** The bytes of a blob, of exactly the size given: a stream that fails by itself if they are others. */
  readonly openBlob: (digest: Digest, sizeBytes: number) => Promise<Readable>;
}

/**
 * Writes an ordinary gzip-compressed tar, one entry after the other, nothing of a blob held in memory. Large blobs are stored:
 * they are compressed already. Throws DT_UNSAFE_ENTRY, system errors, and what `openBlob` throws.
 */
export async function writeTarGzip(
  path: string,
  entries: readonly WrapEntry[],
  options: TarGzipOptions,
): Promise<void> {
  // The types leave out that it has them.
  const gzip = createGzip() as Gzip & ZlibParams;
  const { signal } = options;
  const written = pipeline(gzip, createWriteStream(path), { signal });
  // A source that fails ends both; a target that fails ends the source.
  const filled = fill(gzip, entries, options).catch((error: unknown) => {
    gzip.destroy(error as Error);
    throw error;
  });
  await Promise.all([filled, written]);
}

async function fill(gzip: Gzip & ZlibParams, entries: readonly WrapEntry[], options: TarGzipOptions): Promise<void> {
  const setLevel = promisify(gzip.params.bind(gzip));
  for (const entry of entries) {
    const sizeBytes = sizeOf(entry);
    await write(gzip, encodeHeader(entry, sizeBytes, options.mtimeSeconds));
    if (entry.kind === 'file') await write(gzip, entry.bytes);
    if (entry.kind === 'blob') {
      const isLarge = sizeBytes >= LARGE_ENTRY_BYTES;
      if (isLarge) await setLevel(constants.Z_NO_COMPRESSION, constants.Z_DEFAULT_STRATEGY);
      for await (const chunk of await options.openBlob(entry.digest, sizeBytes)) await write(gzip, chunk as Buffer);
      if (isLarge) await setLevel(constants.Z_DEFAULT_COMPRESSION, constants.Z_DEFAULT_STRATEGY);
    }
    await write(gzip, Buffer.alloc(tarPaddingBytes(sizeBytes)));
  }
  gzip.end(Buffer.alloc(TAR_END_BYTES));
}

function encodeHeader(entry: WrapEntry, sizeBytes: number, mtimeSeconds: number): Buffer {
  const path = checkEntryPath(entry.path);
  const type = entry.kind === 'blob' ? 'file' : entry.kind;
  const mode = entry.kind === 'file' || entry.kind === 'directory' ? entry.mode : BLOB_MODE;
  const linkTarget = entry.kind === 'link' ? entry.target : undefined;
  return encodeTarHeader({ path, type, mode, sizeBytes, linkTarget, mtimeSeconds });
}

function sizeOf(entry: WrapEntry): number {
  if (entry.kind === 'blob') return entry.sizeBytes;
  return entry.kind === 'file' ? entry.bytes.length : 0;
}

/** What is destroyed tells nobody that it takes more: it would be waited for without end. */
async function write(gzip: Gzip, bytes: Uint8Array): Promise<void> {
  if (gzip.errored !== null) throw gzip.errored;
  if (bytes.length > 0 && !gzip.write(bytes)) await once(gzip, 'drain');
}
