import { createWriteStream } from 'node:fs';
import { chmod, mkdir, rm, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { toOutputError } from '../../archive/output-path.ts';
import type { TarEntry } from '../../archive/tar-header.ts';
import { readLayer } from '../../content/read-layer.ts';
import type { ReadableStore } from '../../content/store.ts';
import type { Descriptor } from '../../domain/oci/descriptor.ts';
import { limitsOf } from './read-bundle.ts';

const OWNER_BITS = 0o700;
const OTHER_BITS = 0o077;
const PERMISSION_BITS = 0o777;
/** Of the time of every file: nothing of a bundle depends on when it was pulled. */
const FILE_TIME_SECONDS = 0;
/** A layer says with such a name what is gone. https://github.com/opencontainers/image-spec/blob/v1.1.1/layer.md#whiteouts */
const WHITEOUT_PREFIX = '.wh.';
const OPAQUE_WHITEOUT = '.wh..wh..opq';

/**
 * Writes the files of an image into an empty folder; links, devices and empty folders are left out. Throws DT_OUTPUT_FAILED, DT_DISK_FULL,
 * and as `readLayer`.
 */
export async function unpackImage(
  store: ReadableStore,
  layers: readonly Descriptor[],
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const taken = new TakenPaths();
  for (const layer of layers.toReversed()) {
    const here = new TakenPaths();
    await readLayer(store, layer, { limits: limitsOf(layer), signal }, async (entry, content) => {
      if (entry.type !== 'file') return;
      here.note(entry.path);
      const isHidden = taken.hides(entry.path) || isWhiteout(entry.path);
      if (!isHidden) await writeEntry(folder, entry, content);
    });
    taken.addAll(here);
  }
}

/** Paths of upper layers, which win over those of lower ones. */
class TakenPaths {
  readonly #files = new Set<string>();
  readonly #folders = new Set<string>();

  note(path: string): void {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const parent = path.slice(0, Math.max(path.length - name.length - 1, 0));
    if (name === OPAQUE_WHITEOUT) this.#folders.add(parent);
    else if (name.startsWith(WHITEOUT_PREFIX)) {
      const gone = join(parent, name.slice(WHITEOUT_PREFIX.length));
      this.#files.add(gone);
      this.#folders.add(gone);
    } else this.#files.add(path);
  }

  hides(path: string): boolean {
    if (this.#files.has(path)) return true;
    for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) {
      if (this.#folders.has(path.slice(0, at))) return true;
    }
    return this.#folders.has('');
  }

  addAll(other: TakenPaths): void {
    for (const path of other.#files) this.#files.add(path);
    for (const path of other.#folders) this.#folders.add(path);
  }
}

function isWhiteout(path: string): boolean {
  return path.slice(path.lastIndexOf('/') + 1).startsWith(WHITEOUT_PREFIX);
}

async function writeEntry(folder: string, { path, mode }: TarEntry, content: Readable): Promise<void> {
  const place = join(folder, path);
  try {
    await mkdir(dirname(place), { recursive: true });
    // An entry that comes twice in one layer: the last one counts.
    await rm(place, { force: true });
    const bits = mode & PERMISSION_BITS;
    const isShared = (bits & OTHER_BITS) === 0;
    await pipeline(content, createWriteStream(place, { flags: 'wx', mode: isShared ? shareBits(bits) : bits }));
    if (!isShared) await chmod(place, bits);
    await utimes(place, FILE_TIME_SECONDS, FILE_TIME_SECONDS);
  } catch (error) {
    throw toOutputError(error, place);
  }
}

/** Bits for the owner alone count for everybody, as far as the umask lets them. */
function shareBits(bits: number): number {
  const owner = bits & OWNER_BITS;
  return owner | (owner >> 3) | (owner >> 6);
}
