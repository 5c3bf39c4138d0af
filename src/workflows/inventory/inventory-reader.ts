import { MAX_INDEX_DEPTH } from '../../content/read-graph.ts';
import type { RegistryStore } from '../../content/registry-store.ts';
import { isDtError } from '../../domain/errors.ts';
import type { Descriptor } from '../../domain/oci/descriptor.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import { manifestSuccessors, parseManifest } from '../../domain/oci/manifest.ts';
import { isIndexMediaType, isManifestMediaType, isNonDistributable } from '../../domain/oci/media-types.ts';
import { requireInventoryLimit, type InventoryRepository } from '../../domain/wrap/inventory.ts';

/** Digests that all manifests and repositories name, which are held in memory: more than fit into an inventory. */
const MAX_DIGESTS = 500_000;

/** What one manifest points to. */
interface ManifestContents {
  readonly children: readonly Digest[];
  readonly blobs: readonly Digest[];
}

/** A repository that is being read. */
interface RepositoryContents {
  readonly tags: Map<string, Digest>;
  readonly blobs: Set<Digest>;
  readonly manifests: Set<Digest>;
}

/** Collects what lies below the tags of repositories of one registry. Each manifest is read once, however many of them have it. */
export class InventoryReader {
  readonly sizes = new Map<Digest, number>();
  readonly #repositories = new Map<string, RepositoryContents>();
  readonly #manifests = new Map<Digest, Promise<ManifestContents | undefined>>();
  #digestCount = 0;

  /** Adds everything below a tag, as far as it is there: registries may hold an index without its children. Throws DT_LIMIT_EXCEEDED. */
  async addTag(store: RegistryStore, tag: string, signal: AbortSignal): Promise<void> {
    const contents = this.#repositories.get(store.repository) ?? {
      tags: new Map<string, Digest>(),
      blobs: new Set<Digest>(),
      manifests: new Set<Digest>(),
    };
    this.#repositories.set(store.repository, contents);
    const { digest } = await store.resolve(tag, signal);
    contents.tags.set(tag, digest);
    await this.#addManifest({ store, contents }, digest, signal);
  }

  /** The repositories that have tags. */
  list(): InventoryRepository[] {
    return [...this.#repositories].map(([name, { tags, blobs }]) => ({
      name,
      tags: Object.fromEntries(tags),
      blobs: [...blobs],
    }));
  }

  async #addManifest(
    { store, contents }: { readonly store: RegistryStore; readonly contents: RepositoryContents },
    digest: Digest,
    signal: AbortSignal,
    depth = 0,
  ): Promise<void> {
    if (contents.manifests.has(digest) || depth > MAX_INDEX_DEPTH) return;
    contents.manifests.add(digest);
    const manifest = await this.#readOnce(store, digest, signal);
    if (manifest === undefined) return;
    const before = contents.blobs.size;
    for (const blob of manifest.blobs) contents.blobs.add(blob);
    this.#count(contents.blobs.size - before);
    for (const child of manifest.children) await this.#addManifest({ store, contents }, child, signal, depth + 1);
  }

  /** Undefined for what the repository lacks, and for what is no manifest. */
  async #readOnce(store: RegistryStore, digest: Digest, signal: AbortSignal): Promise<ManifestContents | undefined> {
    const reading = this.#manifests.get(digest) ?? this.#read(store, digest, signal);
    this.#manifests.set(digest, reading);
    try {
      return await reading;
    } catch (error) {
      // Another repository may have it.
      this.#manifests.delete(digest);
      if (isDtError(error, 'DT_NOT_FOUND')) return undefined;
      throw error;
    }
  }

  async #read(store: RegistryStore, digest: Digest, signal: AbortSignal): Promise<ManifestContents | undefined> {
    const content = await store.readManifest(digest, { signal });
    let successors: readonly Descriptor[];
    try {
      successors = manifestSuccessors(parseManifest(content));
    } catch (error) {
      if (isDtError(error, 'DT_MANIFEST_INVALID')) return undefined;
      throw error;
    }
    const blobs = successors.filter((item) => !isManifest(item) && !isNonDistributable(item.mediaType));
    this.#count(successors.length);
    // Whichever manifest is read first: the inventory is the same.
    for (const blob of blobs) this.sizes.set(blob.digest, Math.max(blob.size, this.sizes.get(blob.digest) ?? 0));
    return { children: successors.filter(isManifest).map(toDigest), blobs: blobs.map(toDigest) };
  }

  #count(digestCount: number): void {
    this.#digestCount += digestCount;
    requireInventoryLimit(this.#digestCount, MAX_DIGESTS, 'digests');
  }
}

function isManifest({ mediaType }: Descriptor): boolean {
  return isManifestMediaType(mediaType) || isIndexMediaType(mediaType);
}

function toDigest({ digest }: Descriptor): Digest {
  return digest;
}
