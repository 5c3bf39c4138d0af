import { Readable } from 'node:stream';
import { DtError } from '../domain/errors.ts';
import type { Descriptor, ManifestContent } from '../domain/oci/descriptor.ts';
import { parseDigest, type Digest } from '../domain/oci/digest.ts';
import { detectManifestMediaType, MAX_MANIFEST_BYTES } from '../domain/oci/manifest.ts';
import type { ReadableStore } from './store.ts';

/** A blob whose bytes were all read and have their digest. */
export interface CheckedBlob {
  /** The path in the archive. */
  readonly path: string;
  readonly sizeBytes: number;
  /** Of one that cannot be read again. */
  readonly bytes?: Buffer;
}

/** DT_WRAP_INCOMPLETE that tells what is missing. */
export class MissingManifestError extends DtError {
  readonly digest: Digest;

  constructor(digest: Digest, storeName: string) {
    super('DT_WRAP_INCOMPLETE', `manifest ${digest} is not in ${storeName}`);
    this.digest = digest;
  }
}

/** The sound content of a wrap by digest, for looking at what lies in it. What is not sound is not here. */
export class CheckedContent implements ReadableStore {
  readonly name: string;
  readonly blobs: ReadonlyMap<Digest, CheckedBlob>;
  readonly #load: ((digest: Digest) => Promise<Buffer>) | undefined;

  /** `load` reads a blob that is not held in memory; without it such a blob cannot be read. It throws what reading throws. */
  constructor(name: string, blobs: ReadonlyMap<Digest, CheckedBlob>, load?: (digest: Digest) => Promise<Buffer>) {
    this.name = name;
    this.blobs = blobs;
    this.#load = load;
  }

  has(digest: Digest): boolean {
    return this.blobs.has(digest);
  }

  async resolve(tagOrDigest: string): Promise<Descriptor> {
    return (await this.readManifest(tagOrDigest)).descriptor;
  }

  /** Throws MissingManifestError, also for a blob that is no manifest. */
  async readManifest(tagOrDigest: string): Promise<ManifestContent> {
    const digest = parseDigest(tagOrDigest);
    const blob = this.blobs.get(digest);
    const isReadable = blob !== undefined && blob.sizeBytes <= MAX_MANIFEST_BYTES;
    const bytes = isReadable ? (blob.bytes ?? (await this.#load?.(digest))) : undefined;
    const mediaType = bytes === undefined ? undefined : detectManifestMediaType(bytes);
    if (bytes === undefined || mediaType === undefined) throw new MissingManifestError(digest, this.name);
    return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
  }

  async openBlob({ digest, size }: Descriptor): Promise<Readable> {
    return Readable.from([await this.readBytes(digest, size)], { objectMode: false });
  }

  /** A whole blob. Throws DT_WRAP_INCOMPLETE, DT_LIMIT_EXCEEDED. */
  async readBytes(digest: Digest, limitBytes: number): Promise<Buffer> {
    const blob = this.blobs.get(digest);
    if (blob === undefined) throw new DtError('DT_WRAP_INCOMPLETE', `blob ${digest} is not in ${this.name}`);
    if (blob.sizeBytes > limitBytes) {
      throw new DtError(
        'DT_LIMIT_EXCEEDED',
        `blob ${digest} in ${this.name} has more than ${String(limitBytes)} bytes`,
      );
    }
    if (blob.bytes !== undefined) return blob.bytes;
    if (this.#load !== undefined) return this.#load(digest);
    throw new DtError('DT_LIMIT_EXCEEDED', `${blob.path} is too large to be held in memory`);
  }
}
