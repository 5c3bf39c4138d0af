import { Readable } from 'node:stream';
import { MemoryStore, type MemoryStoreOptions } from '../../../src/content/memory-store.ts';
import type { BlobOutcome, ReadOptions, SequentialStore, WriteBlobOptions } from '../../../src/content/store.ts';
import type { Descriptor, ManifestContent } from '../../../src/domain/oci/descriptor.ts';
import { digestOf, type Digest } from '../../../src/domain/oci/digest.ts';
import {
  MEDIA_TYPE_OCI_CONFIG,
  MEDIA_TYPE_OCI_INDEX,
  MEDIA_TYPE_OCI_LAYER_GZIP,
  MEDIA_TYPE_OCI_MANIFEST,
} from '../../../src/domain/oci/media-types.ts';

export function addBlob(store: MemoryStore, text: string, mediaType = MEDIA_TYPE_OCI_LAYER_GZIP): Descriptor {
  const bytes = Buffer.from(text);
  const digest = digestOf(bytes);
  store.blobs.set(digest, bytes);
  return { mediaType, digest, size: bytes.length };
}

export function addManifest(store: MemoryStore, document: object, mediaType: string): ManifestContent {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...document }));
  const content = { descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length }, bytes };
  store.manifests.set(content.descriptor.digest, content);
  return content;
}

export function addImage(store: MemoryStore, name: string, layers: readonly string[]): ManifestContent {
  const config = addBlob(store, `{"name":"${name}"}`, MEDIA_TYPE_OCI_CONFIG);
  return addManifest(store, { config, layers: layers.map((layer) => addBlob(store, layer)) }, MEDIA_TYPE_OCI_MANIFEST);
}

export function addIndex(store: MemoryStore, children: readonly (ManifestContent | Descriptor)[]): ManifestContent {
  return addManifest(
    store,
    { manifests: children.map((child) => ('bytes' in child ? child.descriptor : child)) },
    MEDIA_TYPE_OCI_INDEX,
  );
}

/** Counts what is read. */
export class CountingStore extends MemoryStore {
  readonly opened: Digest[] = [];
  readonly readManifests: string[] = [];

  override openBlob(descriptor: Descriptor, options?: ReadOptions): Promise<Readable> {
    this.opened.push(descriptor.digest);
    return super.openBlob(descriptor, options);
  }

  override readManifest(tagOrDigest: string, options?: ReadOptions): Promise<ManifestContent> {
    this.readManifests.push(tagOrDigest);
    return super.readManifest(tagOrDigest, options);
  }
}

/** Counts what is written. */
export class RecordingStore extends MemoryStore {
  readonly outcomes: [Digest, BlobOutcome][] = [];
  readonly written: Digest[] = [];

  override async writeBlob(
    descriptor: Descriptor,
    open: () => Promise<Readable>,
    options?: WriteBlobOptions,
  ): Promise<BlobOutcome> {
    const outcome = await super.writeBlob(descriptor, open, options);
    this.outcomes.push([descriptor.digest, outcome]);
    return outcome;
  }

  override async writeManifest(
    content: ManifestContent,
    tags?: readonly string[],
    signal?: AbortSignal,
  ): Promise<void> {
    await super.writeManifest(content, tags, signal);
    this.written.push(content.descriptor.digest);
  }
}

/** Repositories of one registry, which can mount from each other. */
export function createRegistry(names: readonly string[], options: MemoryStoreOptions = {}): RecordingStore[] {
  const siblings = new Map<string, MemoryStore>();
  const stores = names.map(
    (name) => new RecordingStore({ name: `r/${name}`, repository: name, mountScope: 'r', siblings, ...options }),
  );
  for (const [index, store] of stores.entries()) siblings.set(names[index] ?? '', store);
  return stores;
}

/** Large blobs come in more parts than anybody reads ahead. */
const PART_BYTES = 64 * 1024;

/** A source that gives its blobs in an order of its own, and only once. */
export class OrderedStore extends CountingStore implements SequentialStore {
  readonly #order: readonly Digest[];
  passes = 0;

  constructor(order: readonly Digest[], from: MemoryStore) {
    super({ name: 'ordered' });
    this.#order = order;
    for (const [digest, bytes] of from.blobs) this.blobs.set(digest, bytes);
    for (const [digest, content] of from.manifests) this.manifests.set(digest, content);
  }

  async readBlobsInOrder(
    wanted: ReadonlySet<Digest>,
    consume: (digest: Digest, stream: Readable) => Promise<void>,
  ): Promise<void> {
    this.passes++;
    for (const digest of this.#order) {
      const bytes = this.blobs.get(digest) ?? Buffer.alloc(0);
      if (!wanted.has(digest)) continue;
      const parts = Array.from({ length: Math.ceil(bytes.length / PART_BYTES) }, (_, index) =>
        bytes.subarray(index * PART_BYTES, (index + 1) * PART_BYTES),
      );
      const stream = Readable.from(parts, { objectMode: false });
      await consume(digest, stream);
      if (!stream.readableEnded) throw new Error(`${digest} was not read to its end`);
    }
  }
}
