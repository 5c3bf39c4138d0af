import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { DtError } from '../domain/errors.ts';
import type { Digest } from '../domain/oci/digest.ts';
import type { TableOfContents, TocMember } from '../domain/wrap/table-of-contents.ts';
import { MAX_SMALL_ENTRIES, MAX_SMALL_ENTRIES_BYTES, requireWithinLimit } from '../domain/wrap/wrap-limits.ts';
import { toBlobError } from './blob-error.ts';
import type { BlobFailure } from './blob-jobs.ts';
import { BlobThread } from './blob-thread.ts';
import {
  FOOTER_BYTES,
  GZIP_TRAILER_BYTES,
  gzipTrailer,
  storedContentBytes,
  storedMemberLength,
} from './gzip-member.ts';
import { nameParts } from './name-parts.ts';
import { readBlob } from './read-blob.ts';
import type { SegmentedFile } from './segmented-file.ts';
import { hasGzipHeader, readStoredMember, type StoredMember } from './stored-member.ts';
import { walkTarBuffer, type TarBufferEntry } from './tar-buffer.ts';
import { TAR_BLOCK_BYTES, tarPaddingBytes, type TarHeader } from './tar-header.ts';
import { openWrapFile, type OpenWrapFile, type WrapPart } from './wrap-file.ts';
import { damagedWrap, inflateMember, readExactly, readWrapIndex, type WrapIndex } from './wrap-index.ts';
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

interface LargeHeader {
  readonly header: TarHeader;
  readonly stored: StoredMember;
}

/** A wrap file as a store: every entry can be read by itself. Must be closed. */
export class WrapReader {
  readonly path: string;
  readonly sizeBytes: number;
  /** The open file, for what reads all of it in another way. It is closed with the reader. */
  readonly file: SegmentedFile;
  /** What the file was cut into; none for a wrap in one file. */
  readonly parts: readonly WrapPart[];
  readonly #toc: TableOfContents;
  readonly #tocOffset: number;
  #thread: BlobThread | undefined;
  readonly #large: ReadonlyMap<string, TocMember>;

  private constructor({ path, sizeBytes, file, parts }: OpenWrapFile, { toc, tocOffset }: WrapIndex) {
    this.path = path;
    this.sizeBytes = sizeBytes;
    this.file = file;
    this.parts = parts;
    this.#toc = toc;
    this.#tocOffset = tocOffset;
    this.#large = new Map(toc.members.flatMap((member) => (member.path === undefined ? [] : [[member.path, member]])));
  }

  /**
   * Opens a wrap, or its parts, by its footer and table of contents, reading nothing else. Returns undefined for a file without a
   * footer: one of another tool, or a cut one. Throws DT_WRAP_INVALID, DT_LIMIT_EXCEEDED, DT_WRAP_INCOMPLETE for parts without the end of a
   * wrap of ours, and as `openWrapFile`.
   */
  static async open(path: string): Promise<WrapReader | undefined> {
    const opened = await openWrapFile(path);
    try {
      const index = await readWrapIndex(opened);
      if (index !== undefined) return new WrapReader(opened, index);
    } catch (error) {
      await opened.file.close();
      throw error;
    }
    await opened.file.close();
    return undefined;
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
    if (member.length > 2 * MAX_SMALL_MEMBER_BYTES) throw damagedWrap('a member of small entries is too large');
    try {
      return inflateMember(await readExactly(this.file, member.offset, member.length), MAX_SMALL_MEMBER_BYTES);
    } catch (error) {
      throw nameParts(error, this.path, this.parts, member);
    }
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
    const job = { file: this.file.segments, digest, sizeBytes, member: stored, start: header.headerBytes };
    const toError = (failure: BlobFailure): unknown =>
      nameParts(toBlobError(failure, digest, sizeBytes, this.path), this.path, this.parts, this.#large.get(path));
    const bytes = readBlob(this.#thread, job, toError, signal);
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
    for await (const chunk of readStoredMember(this.file, stored, 0, stored.contentBytes)) chunks.push(chunk);
    const content = Buffer.concat(chunks);
    const trailerOffset = stored.offset + storedMemberLength(stored.contentBytes) - GZIP_TRAILER_BYTES;
    const trailer = await readExactly(this.file, trailerOffset, GZIP_TRAILER_BYTES);
    if (!trailer.equals(gzipTrailer(crc32(content), stored.contentBytes)))
      throw damagedWrap(`the entry ${path} does not have its checksum`);
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
    await this.file.close();
  }

  async #readLargeHeader(path: string, sizeBytes?: number): Promise<LargeHeader> {
    const member = this.#large.get(path);
    if (member === undefined) throw new DtError('DT_WRAP_INCOMPLETE', `the entry ${path} is missing in ${this.path}`);
    try {
      return await this.#readHeaderOf(member, path, sizeBytes);
    } catch (error) {
      throw nameParts(error, this.path, this.parts, member);
    }
  }

  async #readHeaderOf(member: TocMember, path: string, sizeBytes: number | undefined): Promise<LargeHeader> {
    const contentBytes = storedContentBytes(member.length);
    if (contentBytes === undefined || !(await hasGzipHeader(this.file, member.offset))) {
      throw damagedWrap(`the entry ${path} is not where its table of contents says`);
    }
    const stored = { offset: member.offset, contentBytes };
    let start: Buffer = Buffer.alloc(0);
    for await (const chunk of readStoredMember(this.file, stored, 0, Math.min(MAX_TAR_HEADER_BYTES, contentBytes))) {
      start = Buffer.concat([start, chunk]);
    }
    const [header] = walkTarBuffer(start, { headersOnly: true });
    const isExpected =
      header?.type === 'file' &&
      header.path === path &&
      (sizeBytes === undefined || header.sizeBytes === sizeBytes) &&
      header.headerBytes + header.sizeBytes + tarPaddingBytes(header.sizeBytes) === contentBytes;
    if (!isExpected) throw damagedWrap(`the entry ${path} is not what its table of contents says`);
    return { header, stored };
  }
}
