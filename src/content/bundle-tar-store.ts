import { Readable } from 'node:stream';
import type { BundleTarReader } from '../archive/bundle-tar-reader.ts';
import type { TarContents } from '../domain/carvel/parse-tar-manifest.ts';
import { layerPath } from '../domain/carvel/tar-manifest.ts';
import { DtError } from '../domain/errors.ts';
import { sizeMismatchError } from '../domain/oci/blob-errors.ts';
import type { Descriptor, ManifestContent } from '../domain/oci/descriptor.ts';
import { isDigest } from '../domain/oci/digest.ts';
import type { ReadableStore, ReadOptions } from './store.ts';

/** The content of a bundle tar, by digest. Layers are read from the file, in any order. */
export class BundleTarStore implements ReadableStore {
  readonly name: string;
  readonly #reader: BundleTarReader;
  readonly #contents: TarContents;

  constructor(reader: BundleTarReader, contents: TarContents) {
    this.name = reader.path;
    this.#reader = reader;
    this.#contents = contents;
  }

  async resolve(tagOrDigest: string): Promise<Descriptor> {
    return (await this.readManifest(tagOrDigest)).descriptor;
  }

  readManifest(tagOrDigest: string): Promise<ManifestContent> {
    const content = isDigest(tagOrDigest) ? this.#contents.manifests.get(tagOrDigest) : undefined;
    if (content !== undefined) return Promise.resolve(content);
    return Promise.reject(new DtError('DT_WRAP_INCOMPLETE', `manifest ${tagOrDigest} is not in ${this.name}`));
  }

  openBlob({ digest, size }: Descriptor, { signal }: ReadOptions = {}): Promise<Readable> {
    const config = this.#contents.configs.get(digest);
    if (config !== undefined) return Promise.resolve(Readable.from([config], { objectMode: false }));
    const found = this.#reader.sizeOf(layerPath(digest));
    if (found === undefined) {
      return Promise.reject(new DtError('DT_WRAP_INCOMPLETE', `layer ${digest} is not in ${this.name}`));
    }
    if (found !== size) return Promise.reject(sizeMismatchError(digest, size, this.name, found));
    if (size === 0) return Promise.resolve(Readable.from([], { objectMode: false }));
    return Promise.resolve(this.#reader.openEntry(layerPath(digest), signal));
  }
}
