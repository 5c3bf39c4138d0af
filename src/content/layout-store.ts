import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { constants, copyFile, link, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import { toOutputError } from '../archive/output-path.ts';
import { isDtError } from '../domain/errors.ts';
import type { Descriptor, ManifestContent } from '../domain/oci/descriptor.ts';
import type { Digest } from '../domain/oci/digest.ts';
import {
  formatLayoutIndex,
  LAYOUT_INDEX_NAME,
  LAYOUT_MARKER,
  LAYOUT_MARKER_NAME,
  layoutBlobPath,
  layoutName,
} from '../domain/oci/image-layout.ts';
import type { ContainedFolder } from '../files/contained-folder.ts';
import { LayoutReader } from './layout-reader.ts';
import type { BlobOutcome, WritableStore, WriteBlobOptions } from './store.ts';
import { verifyBlob } from './verified-stream.ts';

const WRITE_BUFFER_BYTES = 256 * 1024;
/** What is wrong with a file that is written anew: nothing of it, a link included, is taken for content. */
const NOT_PRESENT_CODES = ['DT_WRAP_INCOMPLETE', 'DT_SIZE_MISMATCH', 'DT_DIGEST_MISMATCH', 'DT_UNSAFE_ENTRY'] as const;

/**
 * The layout of one image, to be written. A file has its final name only when it is complete and verified; one that is there
 * counts only after all its bytes have been read and have their digest. What a sibling in the same folder has becomes a hard link.
 */
export class LayoutStore extends LayoutReader implements WritableStore {
  readonly mountScope: string;
  readonly #root: Digest;
  readonly #stagingFolder: string;

  /** The arrival of `root` completes the layout. `stagingFolder` is for what is on its way, on the same file system. */
  constructor(folder: ContainedFolder, root: Digest, stagingFolder: string) {
    super(folder, layoutName(root));
    this.mountScope = folder.path;
    this.#root = root;
    this.#stagingFolder = stagingFolder;
  }

  async hasBlob(descriptor: Descriptor, signal?: AbortSignal): Promise<boolean> {
    try {
      const content = verifyBlob(await this.openBlob(descriptor, { signal }), descriptor, this.name);
      content.resume();
      await finished(content);
      return true;
    } catch (error) {
      if (isDtError(error, ...NOT_PRESENT_CODES)) return false;
      throw error;
    }
  }

  async hasManifest(descriptor: Descriptor, signal?: AbortSignal): Promise<boolean> {
    return this.hasBlob(descriptor, signal);
  }

  /** Throws DT_OUTPUT_FAILED, DT_DISK_FULL, DT_UNSAFE_ENTRY for folders that are links out of the folder, and what `open` throws. */
  async writeBlob(
    descriptor: Descriptor,
    open: () => Promise<Readable>,
    { signal, mountFrom }: WriteBlobOptions = {},
  ): Promise<BlobOutcome> {
    if (mountFrom !== undefined) return this.#adopt(descriptor, mountFrom, signal);
    if (await this.hasBlob(descriptor, signal)) return 'present';
    await this.#place(layoutBlobPath(descriptor.digest), async (staged) => {
      const target = createWriteStream(staged, { flags: 'wx', highWaterMark: WRITE_BUFFER_BYTES });
      await pipeline(await open(), target, { signal });
    });
    return 'written';
  }

  /** Tags mean nothing in a layout of one image. */
  async writeManifest(
    { descriptor, bytes }: ManifestContent,
    _tags?: readonly string[],
    signal?: AbortSignal,
  ): Promise<void> {
    if (!(await this.hasManifest(descriptor, signal))) {
      await this.#placeBytes(layoutBlobPath(descriptor.digest), bytes);
    }
    if (descriptor.digest !== this.#root) return;
    await this.#placeBytes(LAYOUT_MARKER_NAME, LAYOUT_MARKER);
    await this.#placeBytes(LAYOUT_INDEX_NAME, formatLayoutIndex(descriptor));
  }

  /** Takes over what a sibling was found, or made, to have in this run; as a copy where the file system has no hard links. */
  async #adopt(descriptor: Descriptor, sibling: string, signal: AbortSignal | undefined): Promise<BlobOutcome> {
    const path = layoutBlobPath(descriptor.digest);
    const source = await this.folder.resolve(`${sibling}/${path}`);
    if (source === undefined) throw this.missing(descriptor.digest);
    if (await isSameFile(source, await this.folder.resolve(this.pathOf(descriptor.digest)).catch(() => undefined))) {
      return 'present';
    }
    try {
      await this.#place(path, async (staged) => link(source, staged));
    } catch (error) {
      if (isDtError(error, 'DT_UNSAFE_ENTRY')) throw error;
      if (await this.hasBlob(descriptor, signal)) return 'present';
      await this.#place(path, async (staged) => copyFile(source, staged, constants.COPYFILE_EXCL));
    }
    return 'mounted';
  }

  async #placeBytes(path: string, bytes: Uint8Array): Promise<void> {
    await this.#place(path, async (staged) => writeFile(staged, bytes, { flag: 'wx' }));
  }

  /** Lets `write` make a file elsewhere, and gives it its name in the layout when it is complete. */
  async #place(path: string, write: (staged: string) => Promise<void>): Promise<void> {
    const staged = join(this.#stagingFolder, randomUUID());
    try {
      const folder = await this.folder.makeFolder(dirname(`${this.repository}/${path}`));
      await write(staged);
      await rename(staged, join(folder, basename(path)));
    } catch (error) {
      await rm(staged, { force: true });
      throw toOutputError(error, join(this.name, path));
    }
  }
}

async function isSameFile(left: string, right: string | undefined): Promise<boolean> {
  if (right === undefined) return false;
  const [one, other] = await Promise.all([stat(left), stat(right)]);
  return one.dev === other.dev && one.ino === other.ino;
}
