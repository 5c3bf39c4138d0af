import type { Readable } from 'node:stream';
import type { WrapWriter } from '../archive/wrap-writer.ts';
import type { Descriptor } from '../domain/oci/descriptor.ts';
import type { BlobOutcome, WritableStore, WriteBlobOptions } from './store.ts';

/** Takes blobs into places that are planned, and verifies them. */
export type PlannedBlobs = Pick<WrapWriter, 'isFinished' | 'writeBlob'>;

/** A wrap, or a bundle tar, that is being written, as the target of a copy. Its manifests and small blobs are in it before the copy starts. */
export class WrapTarget implements WritableStore {
  readonly name: string;
  readonly verifiesWrites = true;
  readonly #writer: PlannedBlobs;

  constructor(writer: PlannedBlobs, name: string) {
    this.#writer = writer;
    this.name = name;
  }

  hasBlob(descriptor: Descriptor): Promise<boolean> {
    return Promise.resolve(this.#writer.isFinished(descriptor.digest));
  }

  hasManifest(): Promise<boolean> {
    return Promise.resolve(true);
  }

  async writeBlob(
    descriptor: Descriptor,
    open: () => Promise<Readable>,
    options: WriteBlobOptions = {},
  ): Promise<BlobOutcome> {
    if (this.#writer.isFinished(descriptor.digest)) return 'present';
    await this.#writer.writeBlob(descriptor.digest, await open(), options);
    return 'written';
  }

  async writeManifest(): Promise<void> {
    // Planned as an entry of the wrap.
  }
}
