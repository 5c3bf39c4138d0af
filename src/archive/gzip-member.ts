import { gzipSync } from 'node:zlib';

// https://www.rfc-editor.org/rfc/rfc1952 (gzip) and https://www.rfc-editor.org/rfc/rfc1951#section-3.2.4 (stored blocks)

export const GZIP_HEADER_BYTES = 10;
export const GZIP_TRAILER_BYTES = 8;
/** The most that one stored block holds. */
export const STORED_BLOCK_BYTES = 0xffff;
export const BLOCK_HEADER_BYTES = 5;

const FLAG_EXTRA = 4;
const UNKNOWN_OS = 0xff;

/** The header of a member without name and time. In a `.partial` file it marks the member as finished. */
export const GZIP_HEADER: Buffer = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, UNKNOWN_OS]);

/** One deflated member. Deterministic: no name, no time, the operating system field fixed. */
export function deflateMember(content: Uint8Array): Buffer {
  const member = gzipSync(content, { level: 9 });
  GZIP_HEADER.copy(member);
  return member;
}

/** How long a member with `contentBytes` in stored blocks is in the file. */
export function storedMemberLength(contentBytes: number): number {
  return GZIP_HEADER_BYTES + contentBytes + blockCount(contentBytes) * BLOCK_HEADER_BYTES + GZIP_TRAILER_BYTES;
}

/** How many content bytes a stored member of this length has, or undefined if no content gives that length. */
export function storedContentBytes(memberLength: number): number | undefined {
  const body = memberLength - GZIP_HEADER_BYTES - GZIP_TRAILER_BYTES;
  const blocks = Math.ceil(body / (STORED_BLOCK_BYTES + BLOCK_HEADER_BYTES));
  const contentBytes = body - blocks * BLOCK_HEADER_BYTES;
  return contentBytes >= 0 && storedMemberLength(contentBytes) === memberLength ? contentBytes : undefined;
}

function blockCount(contentBytes: number): number {
  return Math.max(1, Math.ceil(contentBytes / STORED_BLOCK_BYTES));
}

/** The number of content bytes in the block with this number. */
export function storedBlockSize(contentBytes: number, block: number): number {
  return Math.min(STORED_BLOCK_BYTES, contentBytes - block * STORED_BLOCK_BYTES);
}

/** The five bytes before a block of the member. */
export function storedBlockHeader(contentBytes: number, block: number): Buffer {
  const size = storedBlockSize(contentBytes, block);
  const header = Buffer.alloc(BLOCK_HEADER_BYTES);
  header[0] = block === blockCount(contentBytes) - 1 ? 1 : 0;
  header.writeUInt16LE(size, 1);
  header.writeUInt16LE(size ^ 0xffff, 3);
  return header;
}

/** Where in the member the block with this number starts, its five-byte header included. */
export function storedBlockOffset(block: number): number {
  return GZIP_HEADER_BYTES + block * (STORED_BLOCK_BYTES + BLOCK_HEADER_BYTES);
}

/**
 * The bytes in blocks of a member, of whose content `at` bytes are written already: each block gets its header where it starts. The
 * bytes are not copied.
 */
export function frameStoredBlocks(bytes: Uint8Array, at: number, contentBytes: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let done = 0; done < bytes.length;) {
    const filled = (at + done) % STORED_BLOCK_BYTES;
    if (filled === 0) parts.push(storedBlockHeader(contentBytes, (at + done) / STORED_BLOCK_BYTES));
    const part = bytes.subarray(done, done + STORED_BLOCK_BYTES - filled);
    parts.push(part);
    done += part.length;
  }
  return parts;
}

export function gzipTrailer(crc: number, contentBytes: number): Buffer {
  const trailer = Buffer.alloc(GZIP_TRAILER_BYTES);
  trailer.writeUInt32LE(crc >>> 0, 0);
  trailer.writeUInt32LE(contentBytes % 2 ** 32, 4);
  return trailer;
}

const FOOTER_MARK = 'dt-wrap1';
const OFFSET_DIGITS = 16;
const SUBFIELD_BYTES = FOOTER_MARK.length + OFFSET_DIGITS;

/** The footer is an empty gzip member of this fixed size, the last one of the file. */
export const FOOTER_BYTES = GZIP_HEADER_BYTES + 2 + 4 + SUBFIELD_BYTES + BLOCK_HEADER_BYTES + GZIP_TRAILER_BYTES;

/** The footer: an empty member whose Extra field says where the member with the table of contents starts. */
export function formatFooter(tocMemberOffset: number): Buffer {
  const header = Buffer.from(GZIP_HEADER);
  header[3] = FLAG_EXTRA;
  const extra = Buffer.alloc(2 + 4);
  extra.writeUInt16LE(4 + SUBFIELD_BYTES, 0);
  extra.write('DT', 2, 'latin1');
  extra.writeUInt16LE(SUBFIELD_BYTES, 4);
  const subfield = Buffer.from(FOOTER_MARK + tocMemberOffset.toString(16).padStart(OFFSET_DIGITS, '0'), 'latin1');
  return Buffer.concat([header, extra, subfield, storedBlockHeader(0, 0), gzipTrailer(0, 0)]);
}

/** The offset that a footer holds, or undefined if the bytes are no footer. */
export function parseFooter(bytes: Buffer): number | undefined {
  if (bytes.length !== FOOTER_BYTES) return undefined;
  const start = GZIP_HEADER_BYTES + 2 + 4 + FOOTER_MARK.length;
  const digits = bytes.toString('latin1', start, start + OFFSET_DIGITS);
  if (!/^[0-9a-f]{16}$/.test(digits)) return undefined;
  const offset = Number.parseInt(digits, 16);
  return Number.isSafeInteger(offset) && formatFooter(offset).equals(bytes) ? offset : undefined;
}

/** What zlib takes by itself. */
const MIN_CHUNK_BYTES = 16 * 1024;

/**
 * How large a buffer takes all that a member says it holds, so that it is inflated into one piece and not gathered from many, which would
 * be in memory twice. Only a hint: the length in the trailer is not verified. https://www.rfc-editor.org/rfc/rfc1952#page-6
 */
export function inflatedChunkBytes(member: Buffer, maxBytes: number): number {
  const saidBytes = member.length < GZIP_TRAILER_BYTES ? 0 : member.readUInt32LE(member.length - 4);
  return Math.min(Math.max(saidBytes, MIN_CHUNK_BYTES), maxBytes) + 1;
}
