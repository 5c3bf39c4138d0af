import type { Readable } from 'node:stream';
import type { Descriptor, ManifestContent } from '../domain/oci/descriptor.ts';
import type { Digest } from '../domain/oci/digest.ts';

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Ask the origin, not a cache on the way: what came before was wrong. */
  readonly bypassesCaches?: boolean | undefined;
}

/**
 * Content that can be read by digest: a repository of a registry, a layout, a wrap, memory.
 * Absent content is DT_NOT_FOUND, in a wrap DT_WRAP_INCOMPLETE. Implementations keep no state that a caller has to close.
 */
export interface ReadableStore {
  /** What messages call this store, for instance `127.0.0.1:5000/library/nginx`. */
  readonly name: string;
  /** The descriptor that a tag or a digest points to, without its bytes where the medium allows that. */
  resolve(tagOrDigest: string, signal?: AbortSignal): Promise<Descriptor>;
  /** A manifest or index, verified against the digest and size that were asked for. Bytes are as stored. */
  readManifest(tagOrDigest: string, options?: ReadOptions): Promise<ManifestContent>;
  /** True if the streams of `openBlob` fail by themselves, before their end, when the bytes are not those of the descriptor. */
  readonly verifiesBlobs?: boolean;
  /** True if bytes come over a network: wrong ones may come right when they are asked for again. */
  readonly isRemote?: boolean;
  /**
   * Opens a blob. Without `verifiesBlobs` its bytes are not verified here: `verifyBlob` (verified-stream.ts) does it once,
   * where they are used.
   * The caller consumes or destroys the stream.
   */
  openBlob(descriptor: Descriptor, options?: ReadOptions): Promise<Readable>;
}

/**
 * A store whose medium can only be read from front to back (a gzip stream): its blobs come in its own order,
 * once each, and each stream must be consumed before the next is asked for.
 */
export interface SequentialStore extends ReadableStore {
  /** How often it can be read; undefined if that does not matter. */
  readonly maxPasses?: number;
  readBlobsInOrder(
    wanted: ReadonlySet<Digest>,
    consume: (digest: Digest, stream: Readable) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<void>;
  /**
   * Reads what was not wanted, and throws unless all of the medium is sound. Nothing that names its blobs (manifests, tags) may be
   * written before. Absent where that is known already.
   */
  finish?(): Promise<void>;
}

export function isSequentialStore(store: ReadableStore): store is SequentialStore {
  return 'readBlobsInOrder' in store;
}

/** What became of a blob that was to be written. */
export type BlobOutcome = 'present' | 'mounted' | 'written';

export interface WriteBlobOptions {
  readonly signal?: AbortSignal | undefined;
  /** Another repository of the same registry that has the blob: try a cross-repository mount first. */
  readonly mountFrom?: string | undefined;
  /** For a target that verifies by itself: what messages call the source, and who hears the size of every chunk. */
  readonly sourceName?: string;
  readonly onBytes?: ((sizeBytes: number) => void) | undefined;
}

/** Content that can be added. Writing what is there already is allowed and does nothing. */
export interface WritableStore {
  readonly name: string;
  /** Stores with equal scopes can mount blobs from each other; `mountFrom` takes their `repository`. Undefined: no mounts. */
  readonly mountScope?: string | undefined;
  readonly repository?: string | undefined;
  /** True if `writeBlob` verifies size and digest by itself: then `open` may give bytes as they come. */
  readonly verifiesWrites?: boolean;
  hasBlob(descriptor: Descriptor, signal?: AbortSignal): Promise<boolean>;
  hasManifest(descriptor: Descriptor, signal?: AbortSignal): Promise<boolean>;
  /**
   * Stores a blob atomically: after a failure nothing is stored under the digest. `open` may be called again after a
   * failure; its stream fails by itself when the bytes are not those of the descriptor, unless the target verifies them.
   * `open` is not called at all when the blob is present or could be mounted.
   */
  writeBlob(descriptor: Descriptor, open: () => Promise<Readable>, options?: WriteBlobOptions): Promise<BlobOutcome>;
  /** Stores a manifest whose successors are stored already, and points the tags to it. */
  writeManifest(content: ManifestContent, tags?: readonly string[], signal?: AbortSignal): Promise<void>;
}
