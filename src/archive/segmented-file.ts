import { readvSync, writevSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { Readable } from 'node:stream';

/** A piece of a long file: all of the file with this descriptor. Plain data, which can be handed to another thread. */
export interface FileSegment {
  readonly fd: number;
  /** Where it starts in the long file. */
  readonly start: number;
  readonly length: number;
}

/** A long file as the pieces that it was cut into, in order and without gaps; a plain file is one piece. */
export type FileSegments = readonly [FileSegment, ...FileSegment[]];

/** What can be read at any place, also from the pieces of a file. */
export interface PositionalReader {
  /** Fills the buffers one after the other. Returns the number of bytes read, fewer only at the end of the file. */
  read(buffers: readonly Buffer[], position: number): Promise<number>;
}

const READ_BYTES = 1024 * 1024;

/** A plain file as a long file of one piece, however long it is or becomes. */
export function wholeFile(fd: number): FileSegments {
  return [{ fd, start: 0, length: Infinity }];
}

/** As `PositionalReader.read`, for a thread that may wait. */
export function readSegmentsSync(segments: FileSegments, buffers: readonly Buffer[], position: number): number {
  if (segments.length === 1) return readvSync(segments[0].fd, buffers, position);
  let totalBytes = 0;
  for (const { segment, at, parts } of cutAtBorders(segments, buffers, position)) {
    const readBytes = readvSync(segment.fd, parts, at);
    totalBytes += readBytes;
    if (readBytes < countBytes(parts)) break;
  }
  return totalBytes;
}

/** Writes all of the buffers one after the other. */
export function writeSegmentsSync(segments: FileSegments, buffers: readonly Uint8Array[], position: number): void {
  if (segments.length === 1) {
    writeAllSync(segments[0].fd, buffers, position);
    return;
  }
  requirePlace(segments, position + countBytes(buffers));
  for (const { segment, at, parts } of cutAtBorders(segments, buffers, position)) writeAllSync(segment.fd, parts, at);
}

/** An open long file. Must be closed. */
export class SegmentedFile implements PositionalReader {
  readonly #pieces: readonly (FileSegment & { readonly handle: FileHandle })[];

  /** Without `lengths` the handle is the only one. */
  constructor(handles: readonly FileHandle[], lengths: readonly number[] = [Infinity]) {
    let start = 0;
    this.#pieces = handles.map((handle, index) => {
      const length = lengths[index] ?? 0;
      const piece = { handle, fd: handle.fd, start, length };
      start += length;
      return piece;
    });
  }

  /** For another thread, as long as the file is open. */
  get segments(): FileSegments {
    return this.#pieces.map(({ fd, start, length }) => ({ fd, start, length })) as [FileSegment, ...FileSegment[]];
  }

  async read(buffers: readonly Buffer[], position: number): Promise<number> {
    let totalBytes = 0;
    for (const { segment, at, parts } of cutAtBorders(this.#pieces, buffers, position)) {
      const { bytesRead } = await segment.handle.readv(parts, at);
      totalBytes += bytesRead;
      if (bytesRead < countBytes(parts)) break;
    }
    return totalBytes;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    requirePlace(this.#pieces, position + bytes.length);
    for (const { segment, at, parts } of cutAtBorders(this.#pieces, [bytes], position)) {
      for (const part of parts) {
        for (let done = 0; done < part.length;) {
          done += (await segment.handle.write(part, done, part.length - done, at + done)).bytesWritten;
        }
      }
    }
  }

  /** All bytes from front to back. The file stays open. */
  stream(signal?: AbortSignal): Readable {
    const options = {
      start: 0,
      autoClose: false,
      highWaterMark: READ_BYTES,
      ...(signal === undefined ? {} : { signal }),
    };
    const [first, ...others] = this.#pieces;
    if (first !== undefined && others.length === 0) return first.handle.createReadStream(options);
    const pieces = this.#pieces;
    const chunks = async function* (): AsyncGenerator<Buffer, void, undefined> {
      for (const { handle } of pieces) yield* handle.createReadStream(options) as AsyncIterable<Buffer>;
    };
    return Readable.from(chunks(), { objectMode: false });
  }

  async close(): Promise<void> {
    await Promise.all(this.#pieces.map(async ({ handle }) => handle.close()));
  }
}

/** What of the buffers lies in which piece, and where in that. What lies beyond the last piece is left out. */
function* cutAtBorders<Segment extends Pick<FileSegment, 'start' | 'length'>, Bytes extends Uint8Array>(
  segments: readonly Segment[],
  buffers: readonly Bytes[],
  position: number,
): Generator<{ readonly segment: Segment; readonly at: number; readonly parts: readonly Bytes[] }, void, undefined> {
  let rest = buffers;
  let at = position;
  for (const segment of segments) {
    const end = segment.start + segment.length;
    if (at >= end) continue;
    const [parts, later] = splitBuffers(rest, end - at);
    yield { segment, at: at - segment.start, parts };
    if (later.length === 0) return;
    rest = later;
    at = end;
  }
}

/** The first bytes of the buffers, and the rest of them. */
function splitBuffers<Bytes extends Uint8Array>(
  buffers: readonly Bytes[],
  firstBytes: number,
): readonly [readonly Bytes[], readonly Bytes[]] {
  let left = firstBytes;
  for (const [index, buffer] of buffers.entries()) {
    if (buffer.length > left) {
      const before = left === 0 ? [] : [buffer.subarray(0, left) as Bytes];
      return [
        [...buffers.slice(0, index), ...before],
        [buffer.subarray(left) as Bytes, ...buffers.slice(index + 1)],
      ];
    }
    left -= buffer.length;
  }
  return [buffers, []];
}

function requirePlace(segments: readonly Pick<FileSegment, 'start' | 'length'>[], end: number): void {
  const last = segments.at(-1);
  if (last === undefined || end > last.start + last.length) throw new RangeError('bytes beyond the end of the file');
}

function countBytes(buffers: readonly Uint8Array[]): number {
  return buffers.reduce((sum, buffer) => sum + buffer.length, 0);
}

/** A write may take less than it is given, for instance when the disk becomes full. */
function writeAllSync(fd: number, buffers: readonly Uint8Array[], position: number): void {
  let rest = buffers;
  for (let at = position; rest.length > 0;) {
    const written = writevSync(fd, rest, at);
    at += written;
    rest = splitBuffers(rest, written)[1].filter((buffer) => buffer.length > 0);
  }
}
