import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { DtError } from '../domain/errors.ts';
import type { Descriptor, ManifestContent } from '../domain/oci/descriptor.ts';
import { isDigest, matchesDigest, type Digest } from '../domain/oci/digest.ts';
import { manifestSuccessors, parseManifest } from '../domain/oci/manifest.ts';
import { isNonDistributable } from '../domain/oci/media-types.ts';
import type { BlobOutcome, ReadableStore, ReadOptions, WritableStore, WriteBlobOptions } from './store.ts';

export interface MemoryStoreOptions {
  /** Default `memory`. */
  readonly name?: string;
  readonly repository?: string;
  /** Names the registry that the store is a repository of; its stores can mount blobs from each other. */
  readonly mountScope?: string;
  /** The repositories of that registry by name. */
  readonly siblings?: ReadonlyMap<string, MemoryStore>;
  /** Take an index although some of its manifests are absent. Default false, as registries do. */
  readonly acceptSparseIndexes?: boolean;
}

/** A store in memory, as strict as a registry: it verifies what is written and wants successors first. */
export class MemoryStore implements ReadableStore, WritableStore {
  readonly name: string;
  readonly repository: string | undefined;
  readonly mountScope: string | undefined;
  readonly blobs = new Map<Digest, Uint8Array>();
  readonly manifests = new Map<Digest, ManifestContent>();
  readonly tags = new Map<string, Digest>();
  readonly #siblings: ReadonlyMap<string, MemoryStore> | undefined;
  readonly #acceptSparseIndexes: boolean;

  constructor(options: MemoryStoreOptions = {}) {
    this.name = options.name ?? 'memory';
    this.repository = options.repository;
    this.mountScope = options.mountScope;
    this.#siblings = options.siblings;
    this.#acceptSparseIndexes = options.acceptSparseIndexes ?? false;
  }

  async resolve(tagOrDigest: string, signal?: AbortSignal): Promise<Descriptor> {
    return (await this.readManifest(tagOrDigest, { signal })).descriptor;
  }

  readManifest(tagOrDigest: string, options: ReadOptions = {}): Promise<ManifestContent> {
    return settle(() => {
      options.signal?.throwIfAborted();
      const digest = isDigest(tagOrDigest) ? tagOrDigest : this.tags.get(tagOrDigest);
      const content = digest === undefined ? undefined : this.manifests.get(digest);
      if (content === undefined) throw new DtError('DT_NOT_FOUND', `${this.name} has no manifest ${tagOrDigest}`);
      checkContent(content.descriptor, content.bytes);
      return content;
    });
  }

  openBlob(descriptor: Descriptor, options: ReadOptions = {}): Promise<Readable> {
    return settle(() => {
      options.signal?.throwIfAborted();
      const bytes = this.blobs.get(descriptor.digest);
      if (bytes === undefined) throw new DtError('DT_NOT_FOUND', `${this.name} has no blob ${descriptor.digest}`);
      return Readable.from([bytes], { objectMode: false });
    });
  }

  hasBlob(descriptor: Descriptor): Promise<boolean> {
    return Promise.resolve(this.blobs.has(descriptor.digest));
  }

  hasManifest(descriptor: Descriptor): Promise<boolean> {
    return Promise.resolve(this.manifests.has(descriptor.digest));
  }

  /** Throws DT_SIZE_MISMATCH or DT_DIGEST_MISMATCH when the bytes are not those of the descriptor. */
  async writeBlob(
    descriptor: Descriptor,
    open: () => Promise<Readable>,
    options: WriteBlobOptions = {},
  ): Promise<BlobOutcome> {
    options.signal?.throwIfAborted();
    if (this.blobs.has(descriptor.digest)) return 'present';
    const mountable =
      options.mountFrom === undefined
        ? undefined
        : this.#siblings?.get(options.mountFrom)?.blobs.get(descriptor.digest);
    if (mountable !== undefined) {
      this.blobs.set(descriptor.digest, mountable);
      return 'mounted';
    }
    const bytes = await buffer(await open());
    options.signal?.throwIfAborted();
    checkContent(descriptor, bytes);
    this.blobs.set(descriptor.digest, bytes);
    return 'written';
  }

  /** Throws DT_NOT_FOUND when a successor has not been written, and as `writeBlob` does. */
  writeManifest(content: ManifestContent, tags: readonly string[] = [], signal?: AbortSignal): Promise<void> {
    return settle(() => {
      signal?.throwIfAborted();
      const { descriptor, bytes } = content;
      checkContent(descriptor, bytes);
      const manifest = parseManifest(content);
      const isSparseAllowed = manifest.kind === 'index' && this.#acceptSparseIndexes;
      for (const { digest, mediaType, urls } of isSparseAllowed ? [] : manifestSuccessors(manifest)) {
        if (this.blobs.has(digest) || (manifest.kind === 'index' && this.manifests.has(digest))) continue;
        if (urls !== undefined && isNonDistributable(mediaType)) continue;
        throw new DtError('DT_NOT_FOUND', `${this.name} lacks ${digest}, which ${descriptor.digest} refers to`, {
          isRefusal: true,
        });
      }
      this.manifests.set(descriptor.digest, content);
      for (const tag of tags) this.tags.set(tag, descriptor.digest);
    });
  }
}

function checkContent(descriptor: Descriptor, bytes: Uint8Array): void {
  if (bytes.length !== descriptor.size) {
    const detail = `expected ${String(descriptor.size)} bytes, got ${String(bytes.length)}`;
    throw new DtError('DT_SIZE_MISMATCH', `${descriptor.digest} has not the size of its descriptor`, { detail });
  }
  if (!matchesDigest(bytes, descriptor.digest)) {
    throw new DtError('DT_DIGEST_MISMATCH', `the bytes do not have the digest ${descriptor.digest}`);
  }
}

/** The result of a function that does not wait, as a promise that also carries what it throws. */
function settle<T>(run: () => T): Promise<T> {
  return new Promise((resolve) => {
    resolve(run());
  });
}
