import { createHash, randomUUID, type Hash } from 'node:crypto';
import { Readable } from 'node:stream';
import { DtError } from '../domain/errors.ts';
import type { Descriptor, ManifestContent } from '../domain/oci/descriptor.ts';
import { digestAlgorithm, digestHex, isDigest, type Digest } from '../domain/oci/digest.ts';
import type {
  ByteRange,
  PutManifestOptions,
  RegistryBackend,
  RegistryWriter,
  UploadSession,
} from './registry-backend.ts';
import { UploadTable } from './upload-table.ts';

/** A blob in the pieces in which it came: joining them would need its size once more. */
interface MemoryBlob {
  readonly chunks: readonly Uint8Array[];
  readonly sizeBytes: number;
}

interface MemoryRepository {
  hadManifest: boolean;
  readonly blobs: Set<Digest>;
  readonly manifests: Map<Digest, ManifestContent>;
  readonly tags: Map<string, Digest>;
  readonly referrers: Map<Digest, { readonly subject: Digest; readonly descriptor: Descriptor }>;
}

/** An empty registry in memory that can be written. Blobs are shared by all repositories. */
export function createMemoryBackend(): RegistryBackend & { readonly writer: RegistryWriter } {
  const blobs = new Map<Digest, MemoryBlob>();
  const repositories = new Map<string, MemoryRepository>();
  const uploads = new UploadTable();

  const findBlob = (repository: string, digest: Digest): MemoryBlob | undefined =>
    repositories.get(repository)?.blobs.has(digest) === true ? blobs.get(digest) : undefined;
  const findManifest = (repository: string, tagOrDigest: string): ManifestContent | undefined => {
    const entry = repositories.get(repository);
    const digest = isDigest(tagOrDigest) ? tagOrDigest : entry?.tags.get(tagOrDigest);
    return digest === undefined ? undefined : entry?.manifests.get(digest);
  };
  const ensureRepository = (name: string): MemoryRepository => {
    const entry = repositories.get(name) ?? {
      hadManifest: false,
      blobs: new Set(),
      manifests: new Map(),
      tags: new Map(),
      referrers: new Map(),
    };
    repositories.set(name, entry);
    return entry;
  };

  const writer: RegistryWriter = {
    async beginUpload(repository) {
      await uploads.makeRoom();
      const session = new MemoryUpload(uploads, (digest, blob) => {
        blobs.set(digest, blob);
        ensureRepository(repository).blobs.add(digest);
      });
      uploads.add(repository, session);
      return session;
    },
    findUpload: (repository, id) => Promise.resolve(uploads.find(repository, id)),
    mountBlob(repository, digest, from) {
      const isThere = from === undefined ? blobs.has(digest) : findBlob(from, digest) !== undefined;
      if (isThere) ensureRepository(repository).blobs.add(digest);
      return Promise.resolve(isThere);
    },
    deleteBlob: (repository, digest) => Promise.resolve(repositories.get(repository)?.blobs.delete(digest) ?? false),
    putManifest(repository, content, { tag, referrer }: PutManifestOptions = {}) {
      const entry = ensureRepository(repository);
      const { digest } = content.descriptor;
      entry.hadManifest = true;
      entry.manifests.set(digest, content);
      if (tag !== undefined) entry.tags.set(tag, digest);
      if (referrer !== undefined) entry.referrers.set(digest, referrer);
      return Promise.resolve();
    },
    deleteManifest(repository, tagOrDigest) {
      const entry = repositories.get(repository);
      if (entry === undefined) return Promise.resolve(false);
      if (!isDigest(tagOrDigest)) return Promise.resolve(entry.tags.delete(tagOrDigest));
      for (const [tag, digest] of entry.tags) if (digest === tagOrDigest) entry.tags.delete(tag);
      entry.referrers.delete(tagOrDigest);
      return Promise.resolve(entry.manifests.delete(tagOrDigest));
    },
  };

  return {
    writer,
    listRepositories: () =>
      Promise.resolve([...repositories].filter(([, entry]) => entry.hadManifest).map(([name]) => name)),
    statBlob: (repository, digest) => Promise.resolve(findBlob(repository, digest)?.sizeBytes),
    openBlob(repository, digest, range) {
      const blob = findBlob(repository, digest);
      return Promise.resolve(blob && Readable.from(sliceChunks(blob.chunks, range), { objectMode: false }));
    },
    statManifest: (repository, tagOrDigest) => Promise.resolve(findManifest(repository, tagOrDigest)?.descriptor),
    readManifest: (repository, tagOrDigest) => Promise.resolve(findManifest(repository, tagOrDigest)),
    listTags(repository) {
      const entry = repositories.get(repository);
      return Promise.resolve(entry?.hadManifest === true ? [...entry.tags.keys()] : undefined);
    },
    listReferrers(repository, digest) {
      const referrers = [...(repositories.get(repository)?.referrers.values() ?? [])];
      return Promise.resolve(referrers.filter(({ subject }) => subject === digest).map((item) => item.descriptor));
    },
  };
}

function* sliceChunks(chunks: readonly Uint8Array[], range?: ByteRange): Generator<Uint8Array> {
  let position = 0;
  for (const chunk of chunks) {
    const from = Math.max(0, (range?.start ?? 0) - position);
    const to = Math.min(chunk.length, range === undefined ? chunk.length : range.end + 1 - position);
    if (from < to) yield chunk.subarray(from, to);
    position += chunk.length;
  }
}

class MemoryUpload implements UploadSession {
  readonly id = randomUUID();
  sizeBytes = 0;
  readonly #chunks: Uint8Array[] = [];
  readonly #sha256: Hash = createHash('sha256');
  readonly #uploads: UploadTable;
  readonly #store: (digest: Digest, blob: MemoryBlob) => void;

  constructor(uploads: UploadTable, store: (digest: Digest, blob: MemoryBlob) => void) {
    this.#uploads = uploads;
    this.#store = store;
  }

  async append(source: AsyncIterable<Uint8Array>): Promise<void> {
    for await (const chunk of source) {
      this.#sha256.update(chunk);
      this.#chunks.push(chunk);
      this.sizeBytes += chunk.length;
    }
  }

  finish(digest: Digest): Promise<void> {
    this.#uploads.remove(this.id);
    let hash = this.#sha256;
    if (digestAlgorithm(digest) !== 'sha256') {
      hash = createHash(digestAlgorithm(digest));
      for (const chunk of this.#chunks) hash.update(chunk);
    }
    if (hash.digest('hex') !== digestHex(digest)) {
      return Promise.reject(new DtError('DT_DIGEST_MISMATCH', `the uploaded bytes do not have the digest ${digest}`));
    }
    this.#store(digest, { chunks: this.#chunks, sizeBytes: this.sizeBytes });
    return Promise.resolve();
  }

  cancel(): Promise<void> {
    this.#uploads.remove(this.id);
    return Promise.resolve();
  }
}
