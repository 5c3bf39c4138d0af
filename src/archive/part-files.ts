import { open, readdir, type FileHandle } from 'node:fs/promises';
import { constants } from 'node:fs';
import { basename, dirname } from 'node:path';
import { CHECKSUM_EXTENSION, parseChecksums, parsePartPath, partPath } from '../domain/wrap/wrap-parts.ts';

/** A line for each part, with a name of any length. */
const MAX_CHECKSUM_FILE_BYTES = 16 * 1024 * 1024;

/** A part that lies beside the others. */
export interface PartFile {
  readonly path: string;
  /** Anything else is not ours: a link, a folder, a device. */
  readonly isRegular: boolean;
}

/** The parts of a file that lie in its folder, by their numbers; `extension` comes behind the number. Nothing where it cannot be read. */
export async function listParts(path: string, extension = ''): Promise<ReadonlyMap<number, PartFile>> {
  const parts = new Map<number, PartFile>();
  const entries = await readdir(dirname(path), { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (!entry.name.endsWith(extension)) continue;
    const part = parsePartPath(entry.name.slice(0, entry.name.length - extension.length));
    if (part?.whole !== basename(path)) continue;
    parts.set(part.number, { path: partPath(path, part.number) + extension, isRegular: entry.isFile() });
  }
  return parts;
}

/** The checksums of the parts of a file, in their order; undefined where the file with them is missing or lists something else. */
export async function readChecksums(path: string): Promise<readonly [string, ...string[]] | undefined> {
  try {
    const handle = await openWithoutWaiting(path + CHECKSUM_EXTENSION);
    try {
      const stats = await handle.stat();
      if (!stats.isFile() || stats.size > MAX_CHECKSUM_FILE_BYTES) return undefined;
      return parseChecksums(await handle.readFile('utf8'));
    } finally {
      await handle.close();
    }
  } catch {
    return undefined;
  }
}

/** Opens a file for reading. A pipe does not keep us waiting for its other end. Throws system errors. */
export async function openWithoutWaiting(path: string): Promise<FileHandle> {
  return open(path, constants.O_RDONLY | constants.O_NONBLOCK);
}
