import type { Descriptor } from '../domain/oci/descriptor.ts';
import type { Digest } from '../domain/oci/digest.ts';
import type { ReadableStore } from './store.ts';

/** The content of a wrap that says itself what it holds. */
export interface WrappedContent extends ReadableStore {
  /** True if the wrap lists the digest. */
  has(digest: Digest): boolean;
  /** Throws unless the bytes of the blob are in the wrap with this size, as far as that can be told without reading them. */
  requireBlob(descriptor: Descriptor): Promise<void>;
}
