import { PassThrough, pipeline, Readable } from 'node:stream';
// The older versions that we run on have no zstd, which an import by name would need.
import zlib, { createGunzip } from 'node:zlib';
import { readTarEntries, type TarEntryHandler, type TarLimits } from '../archive/unpack-tar.ts';
import type { Descriptor } from '../domain/oci/descriptor.ts';
import type { ReadableStore } from './store.ts';
import { verifyBlob } from './verified-stream.ts';

export interface ReadLayerOptions {
  readonly limits: TarLimits;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Goes through the files and folders of a layer, whatever it is compressed with; links and devices are passed over. The layer is verified
 * while it is read: what `onEntry` has had counts only when this returns. Throws DT_UNSAFE_ENTRY, DT_LIMIT_EXCEEDED, DT_MANIFEST_INVALID for what is
 * no layer, DT_DIGEST_MISMATCH, DT_SIZE_MISMATCH, and what the store or the handler throws.
 */
export async function readLayer(
  store: ReadableStore,
  layer: Descriptor,
  { limits, signal }: ReadLayerOptions,
  onEntry: TarEntryHandler,
): Promise<void> {
  const verified = verifyBlob(await store.openBlob(layer, { signal }), layer, store.name);
  const name = `layer ${layer.digest} from ${store.name}`;
  await readTarEntries(
    await decompress(verified),
    {
      name,
      limits,
      skipsLinks: true,
      truncatedCode: 'DT_MANIFEST_INVALID',
      invalidCode: 'DT_MANIFEST_INVALID',
    },
    onEntry,
  );
}

const GZIP_MAGIC = Buffer.from([0x1f, 0x8b]);
const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** Unpacks what the first bytes say that it is packed with. */
async function decompress(source: Readable): Promise<Readable> {
  const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>;
  const next = await chunks.next();
  const first = next.value ?? Buffer.alloc(0);
  const isStart = (magic: Buffer): boolean => first.subarray(0, magic.length).equals(magic);
  const whole = Readable.from(prepend(first, { [Symbol.asyncIterator]: () => chunks }), {
    objectMode: false,
  });
  const unpacker = isStart(GZIP_MAGIC)
    ? createGunzip()
    : isStart(ZSTD_MAGIC)
      ? zlib.createZstdDecompress()
      : new PassThrough();
  return pipeline(whole, unpacker, new PassThrough(), () => {
    // The reader sees every error.
  });
}

async function* prepend(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  yield first;
  yield* rest;
}
