import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { constants as zlibConstants, createGzip } from 'node:zlib';
import type { BundleLayer } from '../domain/carvel/bundle-image.ts';
import { DtError, errorMessage } from '../domain/errors.ts';
import type { Digest } from '../domain/oci/digest.ts';
import { TAR_END_BYTES, tarPaddingBytes } from './tar-header.ts';
import type { BundleFile } from './bundle-files.ts';
import { encodeUstarHeader } from './ustar-header.ts';

const OWNER_BITS = 0o700;
const PERMISSION_BITS = 0o777;
/** The field of the gzip header that names the operating system, and the value for none. */
const OS_OFFSET = 9;
const UNKNOWN_OS = 0xff;

/** A file of a layer, or one whose bytes are known. */
export type LayerFile = BundleFile | (Omit<BundleFile, 'realPath'> & { readonly bytes: Uint8Array });

export interface LayerOptions {
  /** Keep the permissions of group and others. */
  readonly preservePermissions?: boolean;
}

/** Reads the files once to learn size and digests of their layer; nothing is kept. Throws DT_FILE_UNREADABLE. */
export async function measureLayer(files: readonly LayerFile[], options: LayerOptions = {}): Promise<BundleLayer> {
  const tarHash = createHash('sha256');
  const layerHash = createHash('sha256');
  let sizeBytes = 0;
  const tar = tap(writeTar(files, options), (chunk) => tarHash.update(chunk));
  for await (const chunk of compress(tar)) {
    layerHash.update(chunk);
    sizeBytes += chunk.length;
  }
  const toDigest = (hash: typeof tarHash): Digest => `sha256:${hash.digest('hex')}` as Digest;
  return { digest: toDigest(layerHash), sizeBytes, diffId: toDigest(tarHash) };
}

/** The layer: the same files give the same bytes. Throws DT_FILE_UNREADABLE, also for a file that has changed its size. */
export function openLayer(files: readonly LayerFile[], options: LayerOptions = {}): Readable {
  return Readable.from(compress(writeTar(files, options)), { objectMode: false });
}

async function* compress(tar: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, undefined> {
  const gzip = createGzip({ level: zlibConstants.Z_BEST_SPEED });
  const source = Readable.from(tar, { objectMode: false });
  source.on('error', (error) => gzip.destroy(error));
  source.pipe(gzip);
  let isFirst = true;
  for await (const chunk of gzip as AsyncIterable<Buffer>) {
    // Without it the digest would depend on the machine.
    if (isFirst) chunk[OS_OFFSET] = UNKNOWN_OS;
    isFirst = false;
    yield chunk;
  }
}

async function* writeTar(
  files: readonly LayerFile[],
  { preservePermissions = false }: LayerOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const bits = preservePermissions ? PERMISSION_BITS : OWNER_BITS;
  for (const file of files) {
    yield encodeUstarHeader({ ...file, mode: file.mode & bits });
    if (file.type !== 'file') continue;
    if ('bytes' in file) yield file.bytes;
    else yield* readFileExactly(file);
    yield Buffer.alloc(tarPaddingBytes(file.sizeBytes));
  }
  yield Buffer.alloc(TAR_END_BYTES);
}

async function* readFileExactly({ realPath, sizeBytes }: BundleFile): AsyncGenerator<Buffer, void, undefined> {
  const fail = (why: string, cause?: unknown): DtError =>
    new DtError('DT_FILE_UNREADABLE', `cannot read ${realPath}: ${why}`, { cause });
  // The file may have been replaced by a link or a pipe since it was looked at.
  const handle = await open(realPath, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK).catch(
    (error: unknown) => {
      throw fail(errorMessage(error), error);
    },
  );
  let left = sizeBytes;
  try {
    for await (const chunk of handle.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
      left -= chunk.length;
      if (left < 0) throw fail('it became longer meanwhile');
      yield chunk;
    }
  } finally {
    await handle.close();
  }
  if (left > 0) throw fail('it became shorter meanwhile');
}

async function* tap(
  source: AsyncIterable<Uint8Array>,
  hear: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of source) {
    hear(chunk);
    yield chunk;
  }
}
