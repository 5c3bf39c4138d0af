import type { FileHandle } from 'node:fs/promises';
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

/** What one read call takes: about a mebibyte of whole blocks. */
const READ_BLOCKS = 16;

export interface StoredMember {
  readonly offset: number;
  /** Content bytes: tar header, entry, padding. */
  readonly contentBytes: number;
}

/** True if the gzip header of the member is there, so that the member was finished. */
export async function hasGzipHeader(handle: FileHandle, offset: number): Promise<boolean> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(GZIP_HEADER_BYTES), 0, GZIP_HEADER_BYTES, offset);
  return bytesRead === GZIP_HEADER_BYTES && buffer.equals(GZIP_HEADER);
}

/**
 * Reads the content of a stored member from `start` to `end` (content offsets), about a mebibyte at a time. The framing
 * is checked block by block; DT_WRAP_INVALID where it is not as the format has it.
 */
export async function* readStoredMember(
  handle: FileHandle,
  member: StoredMember,
  start: number,
  end: number,
  signal?: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const { offset, contentBytes } = member;
  const lastBlock = Math.ceil(end / STORED_BLOCK_BYTES);
  for (let block = Math.floor(start / STORED_BLOCK_BYTES); block < lastBlock; block += READ_BLOCKS) {
    signal?.throwIfAborted();
    const nextBlock = Math.min(block + READ_BLOCKS, lastBlock);
    const rawBytes =
      storedBlockOffset(nextBlock - 1) + BLOCK_HEADER_BYTES + storedBlockSize(contentBytes, nextBlock - 1) - storedBlockOffset(block);
    const raw = Buffer.allocUnsafe(rawBytes);
    const { bytesRead } = await handle.read(raw, 0, rawBytes, offset + storedBlockOffset(block));
    if (bytesRead !== rawBytes) throw new DtError('DT_WRAP_TRUNCATED', 'the wrap ends in the middle of an entry');
    const content = joinBlocks(raw, contentBytes, block, nextBlock);
    const from = Math.max(start - block * STORED_BLOCK_BYTES, 0);
    yield content.subarray(from, Math.min(content.length, end - block * STORED_BLOCK_BYTES));
  }
}

/** Moves the bytes of the blocks together, over their headers, in the same buffer. */
function joinBlocks(raw: Buffer, contentBytes: number, first: number, end: number): Buffer {
  let from = 0;
  let to = 0;
  for (let block = first; block < end; block++) {
    const header = storedBlockHeader(contentBytes, block);
    if (raw.compare(header, 0, header.length, from, from + header.length) !== 0) {
      throw new DtError('DT_WRAP_INVALID', 'the framing of an entry of the wrap is damaged');
    }
    from += BLOCK_HEADER_BYTES;
    const sizeBytes = storedBlockSize(contentBytes, block);
    raw.copy(raw, to, from, from + sizeBytes);
    from += sizeBytes;
    to += sizeBytes;
  }
  return raw.subarray(0, to);
}
