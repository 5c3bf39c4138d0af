import { open, type FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { crc32, gunzipSync } from 'node:zlib';
import { DtError, systemErrorCode } from '../domain/errors.ts';
import type { Digest } from '../domain/oci/digest.ts';
import { parseTableOfContents, type TableOfContents, type TocMember } from '../domain/wrap/table-of-contents.ts';
import { pathInTopFolder, WRAP_TOC_PATH } from '../domain/wrap/wrap-document.ts';
import {
  MAX_LAST_MEMBER_BYTES,
  MAX_SMALL_ENTRIES,
  MAX_SMALL_ENTRIES_BYTES,
  requireWithinLimit,
} from '../domain/wrap/wrap-limits.ts';
import { toBlobError } from './blob-error.ts';
import { BlobThread } from './blob-thread.ts';
import {
  FOOTER_BYTES,
  GZIP_TRAILER_BYTES,
  gzipTrailer,
  inflatedChunkBytes,
  parseFooter,
  storedContentBytes,
  storedMemberLength,
} from './gzip-member.ts';
import { readBlob } from './read-blob.ts';
import { hasGzipHeader, readStoredMember, type StoredMember } from './stored-member.ts';
import { walkTarBuffer, type TarBufferEntry } from './tar-buffer.ts';
import { TAR_BLOCK_BYTES, tarPaddingBytes, type TarHeader } from './tar-header.ts';
import { MAX_SMALL_MEMBER_BYTES } from './wrap-plan.ts';

/** A tar header with its PAX record, which holds a path of up to 4096 bytes. */
export const MAX_TAR_HEADER_BYTES = 16 * TAR_BLOCK_BYTES;

/** Where the bytes of a small entry lie. */
export interface SmallEntryPlace {
  readonly member: TocMember;
  /** From here on in what the member holds. */
  readonly start: number;
  readonly sizeBytes: number;
}

/** A wrap file as a store: every entry can be read by itself. Must be closed. */
export class WrapReader {
  readonly path: string;
  readonly sizeBytes: number;
  readonly #handle: FileHandle;
  readonly #toc: TableOfContents;
  readonly #tocOffset: number;
  #thread: BlobThread | undefined;
  readonly #large: ReadonlyMap<string, TocMember>;

  private constructor(path: string, sizeBytes: number, handle: FileHandle, toc: TableOfContents, tocOffset: number) {
    this.path = path;
    this.sizeBytes = sizeBytes;
    this.#handle = handle;
    this.#toc = toc;
    this.#tocOffset = tocOffset;
    this.#large = new Map(toc.members.flatMap((member) => (member.path === undefined ? [] : [[member.path, member]])));
  }

  /**
   * Opens a wrap by its footer and table of contents, reading nothing else. Returns undefined for a file without a
   * footer: one of another tool, or a cut one. Throws DT_FILE_NOT_FOUND, DT_WRAP_INVALID, DT_LIMIT_EXCEEDED.
   */
  static async open(path: string): Promise<WrapReader | undefined> {
    const handle = await openForReading(path);
    try {
      const stats = await handle.stat();
      if (!stats.isFile()) throw new DtError('DT_FILE_UNREADABLE', `${path} is not a regular file`);
      const { size } = stats;
      const footerOffset = size - FOOTER_BYTES;
      const tocOffset =
        footerOffset < 0 ? undefined : parseFooter(await readExactly(handle, footerOffset, FOOTER_BYTES));
      if (tocOffset === undefined) {
        await handle.close();
        return undefined;
      }
      if (tocOffset >= footerOffset) throw invalid('its footer points outside of the file');
      const lastBytes = footerOffset - tocOffset;
      requireWithinLimit(lastBytes, MAX_LAST_MEMBER_BYTES, path, 'bytes of links and table of contents');
      const last = inflate(await readExactly(handle, tocOffset, lastBytes), MAX_LAST_MEMBER_BYTES);
      let entry: TarBufferEntry | undefined;
      // One at a time: there may be a hundred thousand links.
      for (entry of walkTarBuffer(last));
      if (entry === undefined || pathInTopFolder(entry.path) !== WRAP_TOC_PATH)
        throw invalid('it has no table of contents');
      return new WrapReader(path, size, handle, parseTableOfContents(entry.bytes, tocOffset), tocOffset);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** The entries of the deflated members, member by member in the order of the file, so that a caller can stop early. */
  async *readSmallEntries(): AsyncGenerator<TarBufferEntry & { readonly place: SmallEntryPlace }, void, undefined> {
    let totalBytes = 0;
    let entries = 0;
    for (const member of this.#toc.members) {
      if (member.path !== undefined) continue;
      const content = await this.readSmallMember(member);
      totalBytes += content.length;
      requireWithinLimit(totalBytes, MAX_SMALL_ENTRIES_BYTES, this.path, 'bytes of small entries');
      for (const entry of walkTarBuffer(content)) {
        entries++;
        requireWithinLimit(entries, MAX_SMALL_ENTRIES, this.path, 'small entries');
        const { bytes } = entry;
        yield { ...entry, place: { member, start: bytes.byteOffset - content.byteOffset, sizeBytes: bytes.length } };
      }
    }
  }

  /** What a deflated member holds. Throws DT_WRAP_INVALID, DT_LIMIT_EXCEEDED. */
  async readSmallMember(member: TocMember): Promise<Buffer> {
    if (member.length > 2 * MAX_SMALL_MEMBER_BYTES) throw invalid('a member of small entries is too large');
    return inflate(await readExactly(this.#handle, member.offset, member.length), MAX_SMALL_MEMBER_BYTES);
  }

  /** The open file, for what reads all of it in another way. It is closed with the reader. */
  get handle(): FileHandle {
    return this.#handle;
  }

  /** All members in the order of the file but for the footer; the last one holds the table of contents, which does not list itself. */
  listMembers(): readonly TocMember[] {
    const last = { offset: this.#tocOffset, length: this.sizeBytes - FOOTER_BYTES - this.#tocOffset };
    return [...this.#toc.members, last];
  }

  /** The paths of the entries that are members of their own. */
  largePaths(): Iterable<string> {
    return this.#large.keys();
  }

  /** Streams a large entry that is a blob, and verifies it in another thread. Throws as `checkLarge`, DT_DIGEST_MISMATCH. */
  async openBlob(path: string, digest: Digest, sizeBytes: number, signal?: AbortSignal): Promise<Readable> {
    const { header, stored } = await this.#readLargeHeader(path, sizeBytes);
    this.#thread ??= new BlobThread();
    const job = { fd: this.#handle.fd, digest, sizeBytes, member: stored, start: header.headerBytes };
    const bytes = readBlob(this.#thread, job, (failure) => toBlobError(failure, digest, sizeBytes, this.path), signal);
    return Readable.from(bytes, { objectMode: false });
  }

  /** Reads a large entry into memory and checks it against the checksum of its member. Throws as `checkLarge`, DT_LIMIT_EXCEEDED. */
  async readLarge(path: string, limitBytes: number): Promise<{ bytes: Buffer; mode: number }> {
    const { header, stored } = await this.#readLargeHeader(path);
    const { headerBytes, sizeBytes, mode } = header;
    if (sizeBytes > limitBytes) {
      throw new DtError('DT_LIMIT_EXCEEDED', `the entry ${path} of ${this.path} is larger than the format allows`);
    }
    const chunks: Buffer[] = [];
    for await (const chunk of readStoredMember(this.#handle, stored, 0, stored.contentBytes)) chunks.push(chunk);
    const content = Buffer.concat(chunks);
    const trailerOffset = stored.offset + storedMemberLength(stored.contentBytes) - GZIP_TRAILER_BYTES;
    const trailer = await readExactly(this.#handle, trailerOffset, GZIP_TRAILER_BYTES);
    if (!trailer.equals(gzipTrailer(crc32(content), stored.contentBytes)))
      throw invalid(`the entry ${path} does not have its checksum`);
    return { bytes: content.subarray(headerBytes, headerBytes + sizeBytes), mode };
  }

  /**
   * Checks that the tar header of a large entry has this size and the path that the table of contents says; its bytes are
   * not read. Throws DT_WRAP_INVALID, DT_WRAP_INCOMPLETE if there is no such entry.
   */
  async checkLarge(path: string, sizeBytes: number): Promise<void> {
    await this.#readLargeHeader(path, sizeBytes);
  }

  async close(): Promise<void> {
    await this.#thread?.close();
    await this.#handle.close();
  }

  async #readLargeHeader(path: string, sizeBytes?: number): Promise<{ header: TarHeader; stored: StoredMember }> {
    const member = this.#large.get(path);
    if (member === undefined) throw new DtError('DT_WRAP_INCOMPLETE', `the entry ${path} is missing in ${this.path}`);
    const contentBytes = storedContentBytes(member.length);
    if (contentBytes === undefined || !(await hasGzipHeader(this.#handle, member.offset))) {
      throw invalid(`the entry ${path} is not where its table of contents says`);
    }
    const stored = { offset: member.offset, contentBytes };
    let start: Buffer = Buffer.alloc(0);
    for await (const chunk of readStoredMember(this.#handle, stored, 0, Math.min(MAX_TAR_HEADER_BYTES, contentBytes))) {
      start = Buffer.concat([start, chunk]);
    }
    const [header] = walkTarBuffer(start, { headersOnly: true });
    const isExpected =
      header?.type === 'file' &&
      header.path === path &&
      (sizeBytes === undefined || header.sizeBytes === sizeBytes) &&
      header.headerBytes + header.sizeBytes + tarPaddingBytes(header.sizeBytes) === contentBytes;
    if (!isExpected) throw invalid(`the entry ${path} is not what its table of contents says`);
    return { header, stored };
  }
}

async function openForReading(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') {
      throw new DtError('DT_FILE_NOT_FOUND', `there is no file ${path}`, { cause: error });
    }
    throw new DtError('DT_FILE_UNREADABLE', `cannot read ${path}`, { cause: error });
  }
}

async function readExactly(handle: FileHandle, offset: number, sizeBytes: number): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(sizeBytes), 0, sizeBytes, offset);
  if (bytesRead !== sizeBytes) throw new DtError('DT_WRAP_TRUNCATED', 'the wrap is shorter than it says');
  return buffer;
}

function inflate(member: Buffer, maxOutputLength: number): Buffer {
  try {
    return gunzipSync(member, { maxOutputLength, chunkSize: inflatedChunkBytes(member, maxOutputLength) });
  } catch (error) {
    if (systemErrorCode(error) === 'ERR_BUFFER_TOO_LARGE') {
      throw new DtError('DT_LIMIT_EXCEEDED', 'a member of the wrap is larger than the format allows', { cause: error });
    }
    throw new DtError('DT_WRAP_INVALID', 'the wrap is damaged: a member does not decompress', { cause: error });
  }
}

function invalid(why: string): DtError {
  return new DtError('DT_WRAP_INVALID', `the wrap is damaged: ${why}`);
}
