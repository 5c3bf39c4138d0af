import { DtError } from '../domain/errors.ts';
import type { Readable } from 'node:stream';
import type { Descriptor, ManifestContent } from '../domain/oci/descriptor.ts';
import { isDigest, type Digest } from '../domain/oci/digest.ts';
import { isLayoutName } from '../domain/oci/image-layout.ts';
import type { ContainedFolder } from '../files/contained-folder.ts';
import { LayoutReader } from './layout-reader.ts';
import type { ReadOptions } from './store.ts';
import type { WrappedContent } from './wrapped-content.ts';

/** The content of all layouts in a folder, by digest. Blobs are opened and closed one by one; nothing is held. */
export class LayoutCollection implements WrappedContent {
  readonly name: string;
  readonly #layouts: ReadonlyMap<Digest, LayoutReader>;

  private constructor(name: string, layouts: ReadonlyMap<Digest, LayoutReader>) {
    this.name = name;
    this.#layouts = layouts;
  }

  /** Looks at names only. Throws DT_UNSAFE_ENTRY for folders that are links out of the folder. */
  static async open(folder: ContainedFolder): Promise<LayoutCollection> {
    const layouts = new Map<Digest, LayoutReader>();
    for (const name of (await folder.listNames()).filter(isLayoutName)) {
      const layout = new LayoutReader(folder, name);
      for (const algorithm of ['sha256', 'sha512']) {
        for (const hex of await folder.listNames(`${name}/blobs/${algorithm}`)) {
          const digest = `${algorithm}:${hex}`;
          if (isDigest(digest) && !layouts.has(digest)) layouts.set(digest, layout);
        }
      }
    }
    return new LayoutCollection(folder.path, layouts);
  }

  /** True if a layout has a file for the digest. */
  has(digest: Digest): boolean {
    return this.#layouts.has(digest);
  }

  async resolve(tagOrDigest: string): Promise<Descriptor> {
    return (await this.readManifest(tagOrDigest)).descriptor;
  }

  async readManifest(tagOrDigest: string): Promise<ManifestContent> {
    return this.#find(tagOrDigest).readManifest(tagOrDigest);
  }

  async openBlob(descriptor: Descriptor, options?: ReadOptions): Promise<Readable> {
    return this.#find(descriptor.digest).openBlob(descriptor, options);
  }

  /** Throws unless a layout has a file of the right size for the blob. */
  async requireBlob(descriptor: Descriptor): Promise<void> {
    await this.#find(descriptor.digest).requireBlob(descriptor);
  }

  #find(digest: string): LayoutReader {
    const layout = isDigest(digest) ? this.#layouts.get(digest) : undefined;
    if (layout !== undefined) return layout;
    throw new DtError('DT_WRAP_INCOMPLETE', `${digest} is not in any layout in ${this.name}`, {
      hints: ['{bin} images pull CHART'],
    });
  }
}
