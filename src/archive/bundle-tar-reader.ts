import type { FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { TAR_MANIFEST_PATH } from '../domain/carvel/tar-manifest.ts';
import { DtError, errorMessage, isDtError, systemErrorCode } from '../domain/errors.ts';
import { checkEntryPath } from './entry-path.ts';
import { openWithoutWaiting } from './part-files.ts';
import { decodeTarHeader, TAR_BLOCK_BYTES, TAR_END_BYTES, tarPaddingBytes, type TarHeader } from './tar-header.ts';

/** Manifests and configs of ten thousand images have less. */
const MAX_TAR_MANIFEST_BYTES = 256 * 1024 * 1024;
const MAX_ENTRIES = 100_000;
/** A header with its PAX records. */
const MAX_HEADER_BYTES = 8 * TAR_BLOCK_BYTES;
const READ_BYTES = 1024 * 1024;
const CUT_HINT = '{bin} bundle copy … --to-tar FILE --resume takes over what is whole';
const HINTS = ['{bin} bundle copy … --to-tar FILE makes it anew', '{bin} unwrap FILE PREFIX for a wrap'];

/** Where the content of an entry lies. */
interface EntryPlace {
  readonly start: number;
  readonly sizeBytes: number;
}

export interface OpenBundleTarOptions {
  /** Take the whole entries of a tar that is cut. */
  readonly allowTruncated?: boolean;
}

/** A bundle tar, of which only the headers were read. Must be closed. */
export class BundleTarReader {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #entries: ReadonlyMap<string, EntryPlace>;

  private constructor(path: string, handle: FileHandle, entries: ReadonlyMap<string, EntryPlace>) {
    this.path = path;
    this.#handle = handle;
    this.#entries = entries;
  }

  /**
   * Throws DT_FILE_NOT_FOUND, DT_FILE_UNREADABLE, DT_WRAP_INVALID for what is no tar, DT_WRAP_TRUNCATED, DT_UNSAFE_ENTRY for links,
   * dangerous names and names that come twice, DT_LIMIT_EXCEEDED.
   */
  static async open(path: string, options: OpenBundleTarOptions = {}): Promise<BundleTarReader> {
    const handle = await openFile(path);
    try {
      return new BundleTarReader(path, handle, await readEntries(path, handle, options));
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** The size of an entry; undefined if there is none. */
  sizeOf(name: string): number | undefined {
    return this.#entries.get(name)?.sizeBytes;
  }

  /** The table of contents. Throws DT_WRAP_INVALID without one, DT_LIMIT_EXCEEDED. */
  async readTarManifest(): Promise<Buffer> {
    const place = this.#entries.get(TAR_MANIFEST_PATH);
    if (place === undefined) {
      throw new DtError('DT_WRAP_INVALID', `${this.path} is no bundle tar: it has no ${TAR_MANIFEST_PATH}`, {
        hints: HINTS,
      });
    }
    if (place.sizeBytes > MAX_TAR_MANIFEST_BYTES) {
      throw new DtError('DT_LIMIT_EXCEEDED', `${TAR_MANIFEST_PATH} in ${this.path} is too large`);
    }
    const bytes = Buffer.alloc(place.sizeBytes);
    await readFully(this.#handle, bytes, place.start);
    return bytes;
  }

  /** The content of an entry, which is not verified. Throws DT_WRAP_INCOMPLETE. */
  openEntry(name: string, signal?: AbortSignal): Readable {
    const place = this.#entries.get(name);
    if (place === undefined) throw new DtError('DT_WRAP_INCOMPLETE', `${name} is not in ${this.path}`);
    const { start, sizeBytes } = place;
    return this.#handle.createReadStream({
      start,
      // An end before the start would read all of the file.
      end: Math.max(start + sizeBytes - 1, start),
      autoClose: false,
      highWaterMark: READ_BYTES,
      ...(signal === undefined ? {} : { signal }),
    });
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

async function openFile(path: string): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    handle = await openWithoutWaiting(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') {
      throw new DtError('DT_FILE_NOT_FOUND', `there is no file ${path}`, { cause: error });
    }
    throw new DtError('DT_FILE_UNREADABLE', `cannot read ${path}: ${errorMessage(error)}`, { cause: error });
  }
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new DtError('DT_FILE_UNREADABLE', `cannot read ${path}: it is not a regular file`);
}

async function readEntries(
  path: string,
  handle: FileHandle,
  { allowTruncated = false }: OpenBundleTarOptions,
): Promise<Map<string, EntryPlace>> {
  const totalBytes = (await handle.stat()).size;
  const entries = new Map<string, EntryPlace>();
  const truncated = (): DtError =>
    new DtError('DT_WRAP_TRUNCATED', `${path} is cut: it ends too early`, { hints: [CUT_HINT] });
  for (let at = 0; ;) {
    const header = await readHeader(path, handle, at, entries.size === 0);
    if (header === 'cut' && at === 0) throw notATar(path);
    if (header === 'end' && totalBytes - at >= TAR_END_BYTES) return entries;
    if (header === 'end' || header === 'cut') {
      if (allowTruncated) return entries;
      throw truncated();
    }
    const start = at + header.headerBytes;
    at = start + header.sizeBytes + tarPaddingBytes(header.sizeBytes);
    if (at > totalBytes) {
      if (allowTruncated) return entries;
      throw truncated();
    }
    addEntry(path, entries, header, start);
  }
}

function addEntry(path: string, entries: Map<string, EntryPlace>, header: TarHeader, start: number): void {
  const refuse = (why: string): DtError =>
    new DtError(
      'DT_UNSAFE_ENTRY',
      `the entry ${JSON.stringify(header.path.slice(0, 200))} of ${path} is refused: ${why}`,
    );
  const name = checkEntryPath(header.path);
  if (header.type === 'directory') return;
  if (header.type !== 'file') throw refuse('it is not a file');
  if (entries.has(name)) throw refuse('the name comes twice');
  if (entries.size >= MAX_ENTRIES) {
    throw new DtError('DT_LIMIT_EXCEEDED', `${path} has more than ${String(MAX_ENTRIES)} entries`);
  }
  entries.set(name, { start, sizeBytes: header.sizeBytes });
}

async function readHeader(
  path: string,
  handle: FileHandle,
  at: number,
  isFirst: boolean,
): Promise<TarHeader | 'end' | 'cut'> {
  for (let length = TAR_BLOCK_BYTES; ; length += TAR_BLOCK_BYTES) {
    const bytes = Buffer.alloc(length);
    const { bytesRead } = await handle.read(bytes, 0, length, at);
    if (bytesRead < length) return 'cut';
    try {
      return decodeTarHeader(bytes) ?? 'end';
    } catch (error) {
      if (!isDtError(error, 'DT_WRAP_INVALID')) throw error;
      // The library waits for what follows a PAX record.
      const isUnfinished = error.cause === undefined && length < MAX_HEADER_BYTES;
      if (isUnfinished) continue;
      if (isFirst) throw notATar(path, error);
      throw new DtError('DT_WRAP_INVALID', `${path} is damaged: the tar header at byte ${String(at)} is not valid`, {
        cause: error,
      });
    }
  }
}

function notATar(path: string, cause?: unknown): DtError {
  return new DtError('DT_WRAP_INVALID', `${path} is no bundle tar: it is not an uncompressed tar`, {
    cause,
    hints: HINTS,
  });
}

async function readFully(handle: FileHandle, bytes: Buffer, start: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesRead } = await handle.read(bytes, at, bytes.length - at, start + at);
    if (bytesRead === 0) throw new DtError('DT_FILE_UNREADABLE', 'the file became shorter while it was read');
    at += bytesRead;
  }
}
