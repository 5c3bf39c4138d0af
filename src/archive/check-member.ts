import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { DtError } from '../domain/errors.ts';
import type { DigestAlgorithm } from '../domain/oci/digest.ts';
import {
  BLOCK_HEADER_BYTES,
  GZIP_TRAILER_BYTES,
  gzipTrailer,
  STORED_BLOCK_BYTES,
  storedBlockHeader,
  storedBlockOffset,
  storedBlockSize,
  storedMemberLength,
} from './gzip-member.ts';
import { isZero } from './is-zero.ts';
import { readSegmentsSync, type FileSegments } from './segmented-file.ts';
import type { StoredMember } from './stored-member.ts';

/** What one read call takes: about a mebibyte of whole blocks. */
const READ_BLOCKS = 16;
/** How many read calls are between two steps. */
const READS_PER_STEP = 8;

/** A large entry of a file. Plain data: it is handed to another thread. */
export interface MemberToCheck {
  readonly file: FileSegments;
  readonly member: StoredMember;
  /** Where the entry starts in the content: the length of its tar header. */
  readonly start: number;
  readonly sizeBytes: number;
  /** Which digests of the entry are wanted. */
  readonly algorithms: readonly DigestAlgorithm[];
}

/** What a whole member turned out to be. */
export interface MemberVerdict {
  /** Checksum and length in the trailer are those of the content. */
  readonly hasChecksum: boolean;
  /** Nothing but zeros is between the entry and the next one. */
  readonly hasCleanPadding: boolean;
  /** In hexadecimal. */
  readonly digests: Readonly<Partial<Record<DigestAlgorithm, string>>>;
}

/** Reads a whole member once, in steps of some MiB that yield the bytes read. Throws DT_WRAP_TRUNCATED, DT_WRAP_INVALID. */
export function* checkMember(job: MemberToCheck): Generator<number, MemberVerdict, undefined> {
  const { file, member, start, sizeBytes, algorithms } = job;
  const hashes = algorithms.map((algorithm) => [algorithm, createHash(algorithm)] as const);
  const end = start + sizeBytes;
  const blockCount = Math.max(1, Math.ceil(member.contentBytes / STORED_BLOCK_BYTES));
  // The same memory for all of it: what is read is looked at once.
  const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BLOCKS, blockCount) * (BLOCK_HEADER_BYTES + STORED_BLOCK_BYTES));
  let [crc, at, stepBytes, hasCleanPadding] = [0, 0, 0, true];
  for (let first = 0; first < blockCount; first += READ_BLOCKS) {
    for (const part of readBlocks(file, member, first, Math.min(first + READ_BLOCKS, blockCount), buffer)) {
      crc = crc32(part, crc);
      const content = part.subarray(Math.max(start - at, 0), Math.max(end - at, 0));
      for (const [, hash] of hashes) hash.update(content);
      hasCleanPadding &&= isZero(part.subarray(Math.max(end - at, 0)));
      at += part.length;
      stepBytes += part.length;
    }
    if ((first / READ_BLOCKS) % READS_PER_STEP !== READS_PER_STEP - 1) continue;
    yield stepBytes;
    stepBytes = 0;
  }
  yield stepBytes;
  const trailer = Buffer.alloc(GZIP_TRAILER_BYTES);
  readSegmentsSync(file, [trailer], member.offset + storedMemberLength(member.contentBytes) - trailer.length);
  return {
    hasChecksum: trailer.equals(gzipTrailer(crc, member.contentBytes)),
    hasCleanPadding,
    digests: Object.fromEntries(hashes.map(([algorithm, hash]) => [algorithm, hash.digest('hex')])),
  };
}

/** The contents of the blocks from `first` to `end`, read at once; they are gone with the next call. */
function* readBlocks(
  file: FileSegments,
  { offset, contentBytes }: StoredMember,
  first: number,
  end: number,
  buffer: Buffer,
): Generator<Buffer, void, undefined> {
  const from = storedBlockOffset(first);
  const length = storedBlockOffset(end - 1) + BLOCK_HEADER_BYTES + storedBlockSize(contentBytes, end - 1) - from;
  if (readSegmentsSync(file, [buffer.subarray(0, length)], offset + from) !== length) {
    throw new DtError('DT_WRAP_TRUNCATED', 'the wrap ends in the middle of an entry');
  }
  for (let block = first; block < end; block++) {
    const header = storedBlockOffset(block) - from;
    const content = header + BLOCK_HEADER_BYTES;
    if (!storedBlockHeader(contentBytes, block).equals(buffer.subarray(header, content))) {
      throw new DtError('DT_WRAP_INVALID', 'the framing of an entry of the wrap is damaged');
    }
    yield buffer.subarray(content, content + storedBlockSize(contentBytes, block));
  }
}
