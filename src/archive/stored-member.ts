import { DtError } from '../domain/errors.ts';
import {
  BLOCK_HEADER_BYTES,
  GZIP_HEADER,
  GZIP_HEADER_BYTES,
  STORED_BLOCK_BYTES,
  storedBlockHeader,
  storedBlockOffset,
  storedBlockSize,
} from './gzip-member.ts';
import { readSegmentsSync, type FileSegments, type PositionalReader } from './segmented-file.ts';

/** What one read call takes: about a mebibyte of whole blocks. */
const READ_BLOCKS = 16;

export interface StoredMember {
  readonly offset: number;
  /** Content bytes: tar header, entry, padding. */
  readonly contentBytes: number;
}

/** True if the gzip header of the member is there, so that the member was finished. */
export async function hasGzipHeader(file: PositionalReader, offset: number): Promise<boolean> {
  const header = Buffer.alloc(GZIP_HEADER_BYTES);
  return (await file.read([header], offset)) === GZIP_HEADER_BYTES && header.equals(GZIP_HEADER);
}

/**
 * Reads the content of a stored member from `start` to `end` (content offsets), about a mebibyte at a time. The framing
 * is checked block by block; DT_WRAP_INVALID where it is not as the format has it.
 */
export async function* readStoredMember(
  file: PositionalReader,
  member: StoredMember,
  start: number,
  end: number,
  signal?: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  for (const range of blockRanges(start, end)) {
    signal?.throwIfAborted();
    const blocks = new BlockBuffers(member.contentBytes, range);
    const readBytes = await file.read(blocks.parts, member.offset + storedBlockOffset(range.first));
    yield blocks.take(readBytes, start, end);
  }
}

/** The same for a thread that may wait. */
export function* readStoredMemberSync(
  file: FileSegments,
  member: StoredMember,
  start: number,
  end: number,
): Generator<Buffer, void, undefined> {
  for (const range of blockRanges(start, end)) {
    const blocks = new BlockBuffers(member.contentBytes, range);
    yield blocks.take(readSegmentsSync(file, blocks.parts, member.offset + storedBlockOffset(range.first)), start, end);
  }
}

interface BlockRange {
  readonly first: number;
  /** The block after the last. */
  readonly end: number;
}

function* blockRanges(start: number, end: number): Generator<BlockRange> {
  const lastBlock = Math.ceil(end / STORED_BLOCK_BYTES);
  for (let first = Math.floor(start / STORED_BLOCK_BYTES); first < lastBlock; first += READ_BLOCKS) {
    yield { first, end: Math.min(first + READ_BLOCKS, lastBlock) };
  }
}

/** What a range of blocks is read into: the contents side by side, the headers elsewhere, so that nothing has to be moved. */
class BlockBuffers {
  /** In the order of the file. */
  readonly parts: readonly Buffer[];
  readonly #contentBytes: number;
  readonly #range: BlockRange;
  readonly #content: Buffer;
  readonly #headers: Buffer;

  constructor(contentBytes: number, range: BlockRange) {
    this.#contentBytes = contentBytes;
    this.#range = range;
    const { first, end } = range;
    this.#content = Buffer.allocUnsafeSlow(
      (end - 1 - first) * STORED_BLOCK_BYTES + storedBlockSize(contentBytes, end - 1),
    );
    this.#headers = Buffer.alloc((end - first) * BLOCK_HEADER_BYTES);
    this.parts = Array.from({ length: end - first }, (_, index) => [
      this.#headers.subarray(index * BLOCK_HEADER_BYTES, (index + 1) * BLOCK_HEADER_BYTES),
      this.#content.subarray(index * STORED_BLOCK_BYTES, (index + 1) * STORED_BLOCK_BYTES),
    ]).flat();
  }

  /** The content that is between `start` and `end`, once `readBytes` were read. Throws DT_WRAP_TRUNCATED, DT_WRAP_INVALID. */
  take(readBytes: number, start: number, end: number): Buffer {
    if (readBytes !== this.#content.length + this.#headers.length) {
      throw new DtError('DT_WRAP_TRUNCATED', 'the wrap ends in the middle of an entry');
    }
    const { first } = this.#range;
    for (let block = first; block < this.#range.end; block++) {
      const at = (block - first) * BLOCK_HEADER_BYTES;
      if (!storedBlockHeader(this.#contentBytes, block).equals(this.#headers.subarray(at, at + BLOCK_HEADER_BYTES))) {
        throw new DtError('DT_WRAP_INVALID', 'the framing of an entry of the wrap is damaged');
      }
    }
    const base = first * STORED_BLOCK_BYTES;
    return this.#content.subarray(Math.max(start - base, 0), end - base);
  }
}
