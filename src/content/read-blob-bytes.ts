import { buffer } from 'node:stream/consumers';
import type { Descriptor } from '../domain/oci/descriptor.ts';
import { retryMismatch } from './retry-mismatch.ts';
import type { ReadableStore } from './store.ts';
import { verifyBlob } from './verified-stream.ts';

export interface ReadBlobBytesOptions {
  readonly signal?: AbortSignal | undefined;
  /** Hears the size of every chunk. */
  readonly onBytes?: ((sizeBytes: number) => void) | undefined;
}

/** A small blob as a whole, verified. The caller has checked its size. Throws DT_DIGEST_MISMATCH, DT_SIZE_MISMATCH. */
export async function readBlobBytes(
  store: ReadableStore,
  blob: Descriptor,
  { signal, onBytes }: ReadBlobBytesOptions = {},
): Promise<Buffer> {
  return retryMismatch(store, async (bypassesCaches) =>
    buffer(verifyBlob(await store.openBlob(blob, { signal, bypassesCaches }), blob, store.name, onBytes)),
  );
}
