import { Readable } from 'node:stream';
import { scanWrap } from '../archive/scan-wrap.ts';
import { DtError } from '../domain/errors.ts';
import type { Descriptor, ManifestContent } from '../domain/oci/descriptor.ts';
import { isDigest, type Digest } from '../domain/oci/digest.ts';
import { detectManifestMediaType } from '../domain/oci/manifest.ts';
import type { SequentialStore } from './store.ts';

/** A blob that a scan has met: its first place, and its bytes if they are small enough to be a manifest or config. */
export interface ScannedBlob {
  /** The path in the archive below the top folder. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly bytes?: Buffer;
}

/** The blobs of a wrap that is one gzip stream: what a first pass has kept is in memory, the rest comes in file order. */
export class ScannedStore implements SequentialStore {
  readonly name: string;
  readonly #blobs: ReadonlyMap<Digest, ScannedBlob>;

  constructor(path: string, blobs: ReadonlyMap<Digest, ScannedBlob>) {
    this.name = path;
    this.#blobs = blobs;
  }

  has(digest: Digest): boolean {
    return this.#blobs.has(digest);
  }

  async resolve(tagOrDigest: string): Promise<Descriptor> {
    return (await this.readManifest(tagOrDigest)).descriptor;
  }

  readManifest(tagOrDigest: string): Promise<ManifestContent> {
    const digest = isDigest(tagOrDigest) ? tagOrDigest : undefined;
    const bytes = digest === undefined ? undefined : this.#blobs.get(digest)?.bytes;
    const mediaType = bytes === undefined ? undefined : detectManifestMediaType(bytes);
    if (digest === undefined || bytes === undefined || mediaType === undefined) {
      return Promise.reject(new DtError('DT_WRAP_INCOMPLETE', `manifest ${tagOrDigest} is not in ${this.name}`));
    }
    return Promise.resolve({ descriptor: { mediaType, digest, size: bytes.length }, bytes });
  }

  openBlob(descriptor: Descriptor): Promise<Readable> {
    const bytes = this.#blobs.get(descriptor.digest)?.bytes;
    if (bytes === undefined) {
      return Promise.reject(
        new DtError('DT_WRAP_INCOMPLETE', `blob ${descriptor.digest} of ${this.name} can only be read in order`),
      );
    }
    return Promise.resolve(Readable.from([bytes], { objectMode: false }));
  }

  async readBlobsInOrder(
    wanted: ReadonlySet<Digest>,
    consume: (digest: Digest, stream: Readable) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<void> {
    const byPath = new Map<string, Digest>();
    for (const digest of wanted) {
      const blob = this.#blobs.get(digest);
      if (blob !== undefined) byPath.set(blob.path, digest);
    }
    if (byPath.size === 0) return;
    await scanWrap(
      this.name,
      async ({ path }, content) => {
        const digest = byPath.get(path);
        if (digest === undefined) return undefined;
        byPath.delete(path);
        await consume(digest, content);
        return byPath.size === 0 ? 'stop' : undefined;
      },
      signal,
    );
  }
}
