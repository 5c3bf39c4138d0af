import { Readable } from 'node:stream';
import type { Descriptor } from '../domain/oci/descriptor.ts';
import type { RegistryStore } from './registry-store.ts';

/** Uploads a blob that is in memory, unless the registry has it. */
export async function writeBytes(
  store: RegistryStore,
  descriptor: Descriptor,
  bytes: Uint8Array,
  signal: AbortSignal,
): Promise<void> {
  await store.writeBlob(descriptor, () => Promise.resolve(Readable.from([bytes], { objectMode: false })), { signal });
}
