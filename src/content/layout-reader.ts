import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { DtError } from '../domain/errors.ts';
import { sizeMismatchError } from '../domain/oci/blob-errors.ts';
import type { Descriptor, ManifestContent } from '../domain/oci/descriptor.ts';
import { isDigest, matchesDigest, type Digest } from '../domain/oci/digest.ts';
import { layoutBlobPath } from '../domain/oci/image-layout.ts';
import { detectManifestMediaType, MAX_MANIFEST_BYTES } from '../domain/oci/manifest.ts';
import type { ContainedFolder } from '../files/contained-folder.ts';
import type { ReadableStore, ReadOptions } from './store.ts';

const READ_BYTES = 256 * 1024;

/**
 * The layout of one image in a folder of layouts, as we or the Go tool wrote it. Links out of that folder are DT_UNSAFE_ENTRY.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 */
export class LayoutReader implements ReadableStore {
  readonly name: string;
  protected readonly folder: ContainedFolder;
  /** The path in the folder of layouts. */
  readonly repository: string;

  constructor(folder: ContainedFolder, path: string) {
    this.folder = folder;
    this.repository = path;
    this.name = join(folder.path, path);
  }

  async resolve(tagOrDigest: string): Promise<Descriptor> {
    return (await this.readManifest(tagOrDigest)).descriptor;
  }

  /** Finds manifests by their digest only. */
  async readManifest(tagOrDigest: string): Promise<ManifestContent> {
    if (!isDigest(tagOrDigest)) throw this.missing(tagOrDigest);
    const bytes = await this.#readBytes(tagOrDigest);
    if (!matchesDigest(bytes, tagOrDigest)) {
      throw new DtError('DT_DIGEST_MISMATCH', `manifest ${tagOrDigest} in ${this.name} does not have that digest`);
    }
    const mediaType = detectManifestMediaType(bytes);
    if (mediaType === undefined) {
      throw new DtError('DT_MANIFEST_INVALID', `${tagOrDigest} in ${this.name} is no manifest`);
    }
    return { descriptor: { mediaType, digest: tagOrDigest, size: bytes.length }, bytes };
  }

  async openBlob({ digest, size }: Descriptor, { signal }: ReadOptions = {}): Promise<Readable> {
    const handle = await this.#open(digest);
    try {
      signal?.throwIfAborted();
      const found = (await handle.stat()).size;
      if (found !== size) throw sizeMismatchError(digest, size, this.name, found);
    } catch (error) {
      await handle.close();
      throw error;
    }
    return handle.createReadStream({ highWaterMark: READ_BYTES, signal });
  }

  /** Throws unless the layout has a file of the right size for the blob. */
  async requireBlob(descriptor: Descriptor): Promise<void> {
    (await this.openBlob(descriptor)).destroy();
  }

  protected missing(what: string): DtError {
    return new DtError('DT_WRAP_INCOMPLETE', `${what} is not in ${this.name}`);
  }

  protected pathOf(digest: Digest): string {
    return `${this.repository}/${layoutBlobPath(digest)}`;
  }

  async #readBytes(digest: Digest): Promise<Buffer> {
    const handle = await this.#open(digest);
    try {
      if ((await handle.stat()).size > MAX_MANIFEST_BYTES) {
        throw new DtError('DT_LIMIT_EXCEEDED', `manifest ${digest} in ${this.name} is too large`);
      }
      return await buffer(handle.createReadStream({ autoClose: false, end: MAX_MANIFEST_BYTES }));
    } finally {
      await handle.close();
    }
  }

  async #open(digest: Digest): Promise<FileHandle> {
    const handle = await this.folder.openFile(this.pathOf(digest));
    if (handle === undefined) throw this.missing(digest);
    return handle;
  }
}
