import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { DtError, errorMessage, systemErrorCode } from '../domain/errors.ts';
import type { Digest } from '../domain/oci/digest.ts';
import {
  BLOCK_HEADER_BYTES,
  GZIP_HEADER,
  GZIP_HEADER_BYTES,
  gzipTrailer,
  STORED_BLOCK_BYTES,
  storedBlockHeader,
} from './gzip-member.ts';
import { readFinishedMember } from './partial-wrap.ts';
import { tarPaddingBytes } from './tar-header.ts';
import type { LargeMember, WrapPlan } from './wrap-plan.ts';

export const PARTIAL_EXTENSION = '.partial';

/** What one write call takes: whole stored blocks of about a mebibyte. */
const SLAB_BLOCKS = 16;
const SLAB_BYTES = SLAB_BLOCKS * (STORED_BLOCK_BYTES + BLOCK_HEADER_BYTES);

/**
 * Writes a planned wrap in place: every large blob into its own region, in parallel, while it streams. The file is
 * called `OUTPUT.partial` until `finish`; a member counts as finished when its gzip header is there, so an interrupted
 * run is continued from the file alone.
 */
export class WrapWriter {
  readonly #handle: FileHandle;
  readonly #outputPath: string;
  readonly #members: ReadonlyMap<Digest, readonly LargeMember[]>;
  readonly #finished: Set<Digest>;

  private constructor(handle: FileHandle, outputPath: string, plan: WrapPlan, finished: Set<Digest>) {
    this.#handle = handle;
    this.#outputPath = outputPath;
    this.#members = groupBlobMembers(plan);
    this.#finished = finished;
  }

  /**
   * Opens `OUTPUT.partial`, and writes everything but the blobs. Blobs that a former run of the same plan has finished
   * are hashed again and kept. Throws DT_OUTPUT_FAILED or DT_DISK_FULL.
   */
  static async open(outputPath: string, plan: WrapPlan, signal?: AbortSignal): Promise<WrapWriter> {
    const partialPath = outputPath + PARTIAL_EXTENSION;
    try {
      await refuseSpecialFile(outputPath);
      const handle = await openOrCreate(partialPath);
      try {
        const finished = await findFinishedBlobs(handle, plan, signal);
        if (finished.size === 0) await handle.truncate(0);
        for (const member of plan.members) {
          if (member.kind === 'small') await writeAll(handle, member.bytes, member.offset);
          else if (typeof member.content !== 'string') await writeMember(handle, member, [Buffer.from(member.content)]);
        }
        await handle.truncate(plan.totalBytes);
        return new WrapWriter(handle, outputPath, plan, finished);
      } catch (error) {
        await handle.close();
        throw error;
      }
    } catch (error) {
      throw toOutputError(error, outputPath);
    }
  }

  /** True if the blob needs no writing: a former run has finished it, or the plan has no region for it. */
  isFinished(digest: Digest): boolean {
    return this.#finished.has(digest) || !this.#members.has(digest);
  }

  /** Writes a verified blob into its region, or regions. Nothing counts as written when the stream fails. */
  async writeBlob(digest: Digest, stream: Readable): Promise<void> {
    const members = this.#members.get(digest) ?? [];
    try {
      await writeMembers(this.#handle, members, stream as AsyncIterable<Buffer>);
      this.#finished.add(digest);
    } catch (error) {
      throw toOutputError(error, this.#outputPath);
    }
  }

  /** Gives the file its final name. Throws DT_OUTPUT_FAILED if a blob is missing. */
  async finish(): Promise<void> {
    try {
      for (const digest of this.#members.keys()) {
        if (!this.#finished.has(digest)) throw new DtError('DT_OUTPUT_FAILED', `blob ${digest} was never written`);
      }
      await this.#handle.close();
      await rename(this.#outputPath + PARTIAL_EXTENSION, this.#outputPath);
    } catch (error) {
      throw toOutputError(error, this.#outputPath);
    }
  }

  /** Closes the file and keeps what is finished for the next run; a file without any finished blob is removed. */
  async abandon(): Promise<void> {
    await this.#handle.close();
    if (this.#finished.size === 0) await rm(this.#outputPath + PARTIAL_EXTENSION, { force: true });
  }
}

function groupBlobMembers(plan: WrapPlan): Map<Digest, LargeMember[]> {
  const groups = new Map<Digest, LargeMember[]>();
  for (const member of plan.members) {
    if (member.kind !== 'large' || typeof member.content !== 'string') continue;
    const group = groups.get(member.content);
    if (group === undefined) groups.set(member.content, [member]);
    else group.push(member);
  }
  return groups;
}

/** A device or a folder is no place for a file that is renamed into position. */
async function refuseSpecialFile(path: string): Promise<void> {
  try {
    if ((await stat(path)).isFile()) return;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return;
    throw error;
  }
  throw new DtError('DT_OUTPUT_FAILED', `${path} exists and is not a regular file`);
}

async function openOrCreate(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+');
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    return open(path, 'wx+', 0o644);
  }
}

/** The blobs that lie finished and intact in a partial file, provided that its small members are those of the plan. */
async function findFinishedBlobs(handle: FileHandle, plan: WrapPlan, signal: AbortSignal | undefined): Promise<Set<Digest>> {
  const finished = new Set<Digest>();
  if ((await handle.stat()).size !== plan.totalBytes) return finished;
  for (const member of plan.members) {
    if (member.kind === 'small' && !(await hasBytes(handle, member.bytes, member.offset))) return finished;
  }
  for (const [digest, members] of groupBlobMembers(plan)) {
    let isWhole = true;
    for (const member of members) {
      signal?.throwIfAborted();
      isWhole &&= await readFinishedMember(handle, member, digest);
    }
    if (isWhole) finished.add(digest);
  }
  return finished;
}

async function hasBytes(handle: FileHandle, expected: Buffer, offset: number): Promise<boolean> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(expected.length), 0, expected.length, offset);
  return bytesRead === expected.length && buffer.equals(expected);
}

async function writeMember(handle: FileHandle, member: LargeMember, chunks: readonly Buffer[]): Promise<void> {
  await writeMembers(
    handle,
    [member],
    (async function* () {
      yield* chunks;
    })(),
  );
}

/** Writes the same bytes into each of the members, the gzip headers last. */
async function writeMembers(handle: FileHandle, members: readonly LargeMember[], stream: AsyncIterable<Buffer>): Promise<void> {
  const writers = members.map((member) => new MemberWriter(handle, member));
  try {
    for (const writer of writers) await writer.write(writer.tarHeader);
    for await (const chunk of stream) for (const writer of writers) await writer.write(chunk);
    for (const writer of writers) await writer.finish();
  } finally {
    for (const writer of writers) await writer.abandon();
  }
}

/**
 * Frames content into stored deflate blocks at the member's place in the file. Bytes are gathered in one of two slabs
 * while the other one is being written.
 */
class MemberWriter {
  readonly tarHeader: Buffer;
  readonly #handle: FileHandle;
  readonly #member: LargeMember;
  readonly #contentBytes: number;
  #crc = 0;
  #block = 0;
  /** Content bytes of the current block that are in the slab. */
  #filledBytes = 0;
  #slab: Buffer;
  #otherSlab: Buffer;
  #slabBytes = 0;
  /** Where the slab goes in the file. */
  #slabOffset: number;
  #writing: Promise<void> = Promise.resolve();

  constructor(handle: FileHandle, member: LargeMember) {
    this.#handle = handle;
    this.#member = member;
    this.tarHeader = member.tarHeader;
    this.#contentBytes = member.tarHeader.length + member.sizeBytes + tarPaddingBytes(member.sizeBytes);
    this.#slabOffset = member.offset + GZIP_HEADER_BYTES;
    const slabBytes = Math.min(SLAB_BYTES, member.length);
    this.#slab = Buffer.allocUnsafeSlow(slabBytes);
    this.#otherSlab = Buffer.allocUnsafeSlow(slabBytes);
  }

  async write(chunk: Buffer): Promise<void> {
    this.#crc = crc32(chunk, this.#crc);
    for (let at = 0; at < chunk.length; ) {
      if (this.#filledBytes === 0) this.#put(storedBlockHeader(this.#contentBytes, this.#block));
      const part = chunk.subarray(at, at + STORED_BLOCK_BYTES - this.#filledBytes);
      this.#put(part);
      this.#filledBytes += part.length;
      at += part.length;
      if (this.#filledBytes < STORED_BLOCK_BYTES) continue;
      this.#block++;
      this.#filledBytes = 0;
      if (this.#block % SLAB_BLOCKS === 0) await this.#flush();
    }
  }

  async finish(): Promise<void> {
    await this.write(Buffer.alloc(tarPaddingBytes(this.#member.sizeBytes)));
    await this.#flush();
    await this.#writing;
    await writeAll(this.#handle, gzipTrailer(this.#crc, this.#contentBytes), this.#slabOffset);
    await writeAll(this.#handle, GZIP_HEADER, this.#member.offset);
  }

  /** Waits for writes that are under way, so that nothing touches the file any more. */
  async abandon(): Promise<void> {
    await this.#writing.catch(() => undefined);
  }

  #put(bytes: Buffer): void {
    bytes.copy(this.#slab, this.#slabBytes);
    this.#slabBytes += bytes.length;
  }

  async #flush(): Promise<void> {
    await this.#writing;
    this.#writing = writeAll(this.#handle, this.#slab.subarray(0, this.#slabBytes), this.#slabOffset);
    // Awaited by the next flush; until then a failure must not count as unhandled.
    this.#writing.catch(() => undefined);
    this.#slabOffset += this.#slabBytes;
    this.#slabBytes = 0;
    [this.#slab, this.#otherSlab] = [this.#otherSlab, this.#slab];
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer, offset: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    written += (await handle.write(bytes, written, bytes.length - written, offset + written)).bytesWritten;
  }
}

function toOutputError(error: unknown, outputPath: string): unknown {
  const code = systemErrorCode(error);
  if (error instanceof DtError || code === undefined || error instanceof TypeError) return error;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new DtError('DT_DISK_FULL', `cannot write ${outputPath}: the disk is full`, { cause: error });
  }
  if (!(error instanceof Error) || !('syscall' in error)) return error;
  return new DtError('DT_OUTPUT_FAILED', `cannot write ${outputPath}: ${errorMessage(error)}`, { cause: error });
}
