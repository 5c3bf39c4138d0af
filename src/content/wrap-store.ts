import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { SmallEntries } from '../archive/small-entries.ts';
import type { WrapReader } from '../archive/wrap-reader.ts';
import { DtError } from '../domain/errors.ts';
import { digestMismatchError, sizeMismatchError } from '../domain/oci/blob-errors.ts';
import type { Descriptor, ManifestContent } from '../domain/oci/descriptor.ts';
import { isDigest, matchesDigest, type Digest } from '../domain/oci/digest.ts';
import { MAX_MANIFEST_BYTES } from '../domain/oci/manifest.ts';
import type { WrapDocument, WrappedBlob } from '../domain/wrap/wrap-document.ts';
import type { ReadOptions } from './store.ts';
import type { WrappedContent } from './wrapped-content.ts';

/** The content of a wrap file, by digest. Nothing of it is held in memory. */
export class WrapStore implements WrappedContent {
  readonly name: string;
  readonly verifiesBlobs = true;
  readonly #reader: WrapReader;
  readonly #blobs: ReadonlyMap<Digest, WrappedBlob>;
  readonly #small: SmallEntries;

  constructor(reader: WrapReader, document: WrapDocument, small: SmallEntries) {
    this.name = reader.path;
    this.#reader = reader;
    this.#small = small;
    this.#blobs = new Map(document.blobs.map((blob) => [blob.digest, blob]));
  }

  /** True if the wrap lists the digest. */
  has(digest: Digest): boolean {
    return this.#blobs.has(digest);
  }

  /** Throws unless the bytes of the blob are in the wrap with this size, as far as that can be told without reading them. */
  async requireBlob({ digest, size }: Descriptor): Promise<void> {
    const blob = this.#find(digest);
    if (blob.path === undefined) throw new DtError('DT_WRAP_INCOMPLETE', `blob ${digest} is not in ${this.name}`);
    const smallBytes = this.#small.sizeBytes(blob.path);
    if (smallBytes === undefined) await this.#reader.checkLarge(blob.path, size);
    if (blob.size !== size || (smallBytes !== undefined && smallBytes !== size)) {
      throw new DtError(
        'DT_SIZE_MISMATCH',
        `blob ${digest} in ${this.name} does not have the size that its manifest says`,
      );
    }
  }

  resolve(tagOrDigest: string): Promise<Descriptor> {
    const { digest, size, mediaType } = this.#find(tagOrDigest);
    return Promise.resolve({ digest, size, mediaType });
  }

  async readManifest(tagOrDigest: string): Promise<ManifestContent> {
    const descriptor = await this.resolve(tagOrDigest);
    if (descriptor.size > MAX_MANIFEST_BYTES) {
      throw new DtError('DT_LIMIT_EXCEEDED', `manifest ${descriptor.digest} in ${this.name} is too large`);
    }
    const bytes = await buffer(await this.openBlob(descriptor));
    if (bytes.length !== descriptor.size || !matchesDigest(bytes, descriptor.digest)) {
      throw new DtError(
        'DT_DIGEST_MISMATCH',
        `manifest ${descriptor.digest} in ${this.name} does not have that digest`,
      );
    }
    return { descriptor, bytes };
  }

  async openBlob(descriptor: Descriptor, options: ReadOptions = {}): Promise<Readable> {
    const { path, size } = this.#find(descriptor.digest);
    if (path === undefined) throw new DtError('DT_WRAP_INCOMPLETE', `blob ${descriptor.digest} is not in ${this.name}`);
    if (size !== descriptor.size) throw sizeMismatchError(descriptor.digest, descriptor.size, this.name, size);
    const smallBytes = this.#small.sizeBytes(path);
    if (smallBytes === undefined) return this.#reader.openBlob(path, descriptor.digest, size, options.signal);
    if (smallBytes !== size) throw sizeMismatchError(descriptor.digest, size, this.name, smallBytes);
    const small = await this.#small.read(path);
    if (!matchesDigest(small, descriptor.digest)) throw digestMismatchError(descriptor.digest, this.name);
    return Readable.from([small], { objectMode: false });
  }

  #find(tagOrDigest: string): WrappedBlob {
    const blob = isDigest(tagOrDigest) ? this.#blobs.get(tagOrDigest) : undefined;
    if (blob === undefined) throw new DtError('DT_WRAP_INCOMPLETE', `${tagOrDigest} is not in ${this.name}`);
    return blob;
  }
}
