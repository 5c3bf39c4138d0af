import { Readable } from 'node:stream';
import { DtError } from '../domain/errors.ts';
import { sizeMismatchError } from '../domain/oci/blob-errors.ts';
import type { Descriptor, ManifestContent } from '../domain/oci/descriptor.ts';
import { isDigest, type Digest } from '../domain/oci/digest.ts';
import { MAX_MANIFEST_BYTES } from '../domain/oci/manifest.ts';
import type { WrapDocument, WrappedBlob } from '../domain/wrap/wrap-document.ts';
import { drainStream } from './drain-stream.ts';
import type { SequentialStore } from './store.ts';
import type { StreamedBlobs } from './streamed-blobs.ts';
import type { WrappedContent } from './wrapped-content.ts';

/** The content of a wrap that comes once, as a stream: what is small is in memory, the large blobs follow in their own order. */
export class StreamedStore implements SequentialStore, WrappedContent {
  readonly name: string;
  readonly verifiesBlobs = true;
  readonly maxPasses = 1;
  readonly #listed: ReadonlyMap<Digest, WrappedBlob>;
  readonly #held: ReadonlyMap<Digest, Buffer>;
  readonly #blobs: StreamedBlobs;

  /** `held` has the verified bytes of what has come before the large blobs. */
  constructor(name: string, document: WrapDocument, held: ReadonlyMap<Digest, Buffer>, blobs: StreamedBlobs) {
    this.name = name;
    this.#listed = new Map(document.blobs.map((blob) => [blob.digest, blob]));
    this.#held = held;
    this.#blobs = blobs;
  }

  has(digest: Digest): boolean {
    return this.#listed.has(digest);
  }

  /** That a large blob comes shows at the end only. */
  requireBlob({ digest, size }: Descriptor): Promise<void> {
    const blob = this.#listed.get(digest);
    if (blob?.path === undefined) return Promise.reject(this.#missing(`blob ${digest}`));
    if (blob.size === size) return Promise.resolve();
    return Promise.reject(
      new DtError('DT_SIZE_MISMATCH', `blob ${digest} in ${this.name} does not have the size that its manifest says`),
    );
  }

  resolve(tagOrDigest: string): Promise<Descriptor> {
    const blob = isDigest(tagOrDigest) ? this.#listed.get(tagOrDigest) : undefined;
    if (blob === undefined) return Promise.reject(this.#missing(tagOrDigest));
    const { digest, size, mediaType } = blob;
    return Promise.resolve({ digest, size, mediaType });
  }

  async readManifest(tagOrDigest: string): Promise<ManifestContent> {
    const descriptor = await this.resolve(tagOrDigest);
    const bytes = this.#held.get(descriptor.digest);
    if (bytes === undefined) throw this.#missing(`manifest ${descriptor.digest}`);
    if (bytes.length <= MAX_MANIFEST_BYTES) return { descriptor, bytes };
    throw new DtError('DT_LIMIT_EXCEEDED', `manifest ${descriptor.digest} in ${this.name} is too large`);
  }

  openBlob({ digest, size }: Descriptor): Promise<Readable> {
    const bytes = this.#held.get(digest);
    if (bytes !== undefined && bytes.length !== size) {
      return Promise.reject(sizeMismatchError(digest, size, this.name, bytes.length));
    }
    if (bytes !== undefined) return Promise.resolve(Readable.from([bytes], { objectMode: false }));
    return Promise.reject(
      new DtError('DT_WRAP_INCOMPLETE', `blob ${digest} of ${this.name} can only be read in order`),
    );
  }

  async readBlobsInOrder(
    wanted: ReadonlySet<Digest>,
    consume: (digest: Digest, stream: Readable) => Promise<void>,
  ): Promise<void> {
    const remaining = new Set(wanted);
    for (const digest of wanted) {
      const bytes = this.#held.get(digest);
      if (bytes === undefined) continue;
      remaining.delete(digest);
      await consume(digest, Readable.from([bytes], { objectMode: false }));
    }
    const [lost] = remaining;
    if (lost !== undefined && this.#blobs.isFinished) {
      throw new DtError(
        'DT_REGISTRY_ERROR',
        `blob ${lost} is not in the target, and ${this.name} cannot be read again`,
        {
          side: 'destination',
          hints: ['run the same commands again: what has arrived is not sent again'],
        },
      );
    }
    while (remaining.size > 0) {
      const blob = await this.#blobs.next();
      if (blob === undefined) return;
      const { descriptor, stream } = blob;
      if (remaining.delete(descriptor.digest)) await consume(descriptor.digest, stream);
      await drainStream(stream);
    }
  }

  /** Reads and verifies what was not asked for. Throws the codes of damaged wraps unless everything has come. */
  async finish(): Promise<void> {
    for (let blob = await this.#blobs.next(); blob !== undefined; blob = await this.#blobs.next()) {
      await drainStream(blob.stream);
    }
  }

  #missing(what: string): DtError {
    return new DtError('DT_WRAP_INCOMPLETE', `${what} is not in ${this.name}`);
  }
}
