import { crc32 } from 'node:zlib';
import {
  BLOCK_HEADER_BYTES,
  frameStoredBlocks,
  GZIP_HEADER,
  gzipTrailer,
  STORED_BLOCK_BYTES,
  storedBlockOffset,
  storedMemberLength,
  GZIP_TRAILER_BYTES,
} from './gzip-member.ts';
import { writeSegmentsSync, type FileSegments } from './segmented-file.ts';
import type { LargeMember } from './wrap-plan.ts';

/** Where an entry goes. Plain data: it is handed to another thread. */
export interface MemberPlace extends Pick<LargeMember, 'offset' | 'tarHeader' | 'sizeBytes'> {
  /** Zeros after the entry. */
  readonly paddingBytes: number;
}

/**
 * Frames one entry into stored deflate blocks at its place in the file. Writes synchronously: it runs in a thread of its
 * own, or has little to write. The bytes are neither counted nor verified here. Throws system errors.
 */
export class StoredMemberWriter {
  readonly #file: FileSegments;
  readonly #place: MemberPlace;
  readonly #contentBytes: number;
  /** Content bytes that are in the file. */
  #at = 0;

  constructor(file: FileSegments, place: MemberPlace) {
    this.#file = file;
    this.#place = place;
    this.#contentBytes = place.tarHeader.length + place.sizeBytes + place.paddingBytes;
    this.#append(place.tarHeader);
  }

  /** Appends bytes of the entry. */
  write(bytes: Uint8Array): void {
    this.#append(bytes);
  }

  /** Completes the member with the checksum of its whole content; its gzip header, which marks it as finished, goes last. */
  finish(contentCrc: number): void {
    this.#append(Buffer.alloc(this.#place.paddingBytes));
    const end = this.#place.offset + storedMemberLength(this.#contentBytes);
    writeSegmentsSync(this.#file, [gzipTrailer(contentCrc, this.#contentBytes)], end - GZIP_TRAILER_BYTES);
    writeSegmentsSync(this.#file, [GZIP_HEADER], this.#place.offset);
  }

  #append(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const firstBlock = Math.floor(this.#at / STORED_BLOCK_BYTES);
    const inBlock = this.#at % STORED_BLOCK_BYTES;
    const start = storedBlockOffset(firstBlock) + (inBlock === 0 ? 0 : BLOCK_HEADER_BYTES + inBlock);
    const parts = frameStoredBlocks(bytes, this.#at, this.#contentBytes);
    writeSegmentsSync(this.#file, parts, this.#place.offset + start);
    this.#at += bytes.length;
  }
}

/** The checksum of a member's content, fed with the bytes of its entry: the tar header is in it from the start. */
export class ContentCrc {
  readonly #paddingBytes: number;
  #crc: number;

  constructor(place: MemberPlace) {
    this.#paddingBytes = place.paddingBytes;
    this.#crc = crc32(place.tarHeader);
  }

  update(bytes: Uint8Array): void {
    this.#crc = crc32(bytes, this.#crc);
  }

  /** The value with the padding behind the entry. */
  finish(): number {
    return crc32(Buffer.alloc(this.#paddingBytes), this.#crc);
  }
}
