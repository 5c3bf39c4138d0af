import { constants, open, rename, rm, stat, type FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { DtError, errorMessage, systemErrorCode } from '../domain/errors.ts';
import type { Digest } from '../domain/oci/digest.ts';
import { BlobThread } from './blob-thread.ts';
import { toBlobError } from './blob-error.ts';
import { readFinishedMember } from './partial-wrap.ts';
import { ContentCrc, StoredMemberWriter, type MemberPlace } from './stored-member-writer.ts';
import { tarPaddingBytes } from './tar-header.ts';
import { transferBlob } from './transfer-blob.ts';
import type { LargeMember, WrapPlan } from './wrap-plan.ts';

export const PARTIAL_EXTENSION = '.partial';

export interface WriteBlobOptions {
  /** What messages call the place that the bytes come from. */
  readonly sourceName?: string;
  /** Hears the size of every chunk. */
  readonly onBytes?: ((sizeBytes: number) => void) | undefined;
}

/**
 * Writes a planned wrap in place: every large blob into its own region, in parallel, while it streams. The file is
 * called `OUTPUT.partial` until `finish`; a member counts as finished when its gzip header is there, so an interrupted
 * run is continued from the file alone.
 */
export class WrapWriter {
  /** Blobs that a former run has finished. */
  readonly continuedBlobs: number;
  /** True if there was a partial file that does not fit this plan. */
  readonly replacesPartial: boolean;
  readonly #handle: FileHandle;
  readonly #outputPath: string;
  readonly #members: ReadonlyMap<Digest, readonly LargeMember[]>;
  readonly #finished: Set<Digest>;
  #thread: BlobThread | undefined;

  private constructor(
    handle: FileHandle,
    outputPath: string,
    plan: WrapPlan,
    finished: Set<Digest>,
    isReplaced: boolean,
    thread: BlobThread | undefined,
  ) {
    this.#handle = handle;
    this.#thread = thread;
    this.#outputPath = outputPath;
    this.#members = groupBlobMembers(plan);
    this.#finished = finished;
    this.continuedBlobs = finished.size;
    this.replacesPartial = isReplaced;
  }

  /**
   * Opens `OUTPUT.partial`, and writes everything but the blobs. Blobs that a former run of the same plan has finished
   * are hashed again and kept. A thread that was started early is closed with the writer. Throws DT_OUTPUT_FAILED or
   * DT_DISK_FULL.
   */
  static async open(
    outputPath: string,
    plan: WrapPlan,
    signal?: AbortSignal,
    thread?: BlobThread,
  ): Promise<WrapWriter> {
    const partialPath = outputPath + PARTIAL_EXTENSION;
    try {
      await requireRegularOutput(outputPath);
      const handle = await openOrCreate(partialPath);
      try {
        const finished = await findFinishedBlobs(handle, plan, signal);
        // An empty file is left alone: ext4 answers a truncation to zero by flushing the whole file when it is closed.
        const isReplaced = finished.size === 0 && (await handle.stat()).size > 0;
        if (isReplaced) await handle.truncate(0);
        for (const member of plan.members) {
          if (member.kind === 'small') await writeAll(handle, member.bytes, member.offset);
          else if (typeof member.content !== 'string') writeMember(handle, member, member.content);
        }
        await handle.truncate(plan.totalBytes);
        return new WrapWriter(handle, outputPath, plan, finished, isReplaced, thread);
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

  /**
   * Writes a blob into its region, or regions, and verifies it on the way. Nothing counts as written when the stream fails
   * or is not the blob: DT_SIZE_MISMATCH, DT_DIGEST_MISMATCH.
   */
  async writeBlob(digest: Digest, stream: Readable, options: WriteBlobOptions = {}): Promise<void> {
    const places = (this.#members.get(digest) ?? []).map(toPlace);
    const [first] = places;
    if (first === undefined) {
      stream.destroy();
      return;
    }
    const { sizeBytes } = first;
    const job = { fd: this.#handle.fd, digest, sizeBytes, places };
    this.#thread ??= new BlobThread();
    try {
      const failure = await transferBlob(this.#thread, job, stream as AsyncIterable<Buffer>, options.onBytes);
      if (failure !== undefined) throw toBlobError(failure, digest, sizeBytes, options.sourceName ?? 'its source');
      this.#finished.add(digest);
    } catch (error) {
      throw toOutputError(error, this.#outputPath);
    }
  }

  /** Gives the file its final name, once `beforeRename` has had the complete file. Throws DT_OUTPUT_FAILED if a blob is missing. */
  async finish(beforeRename?: (partialPath: string) => Promise<void>): Promise<void> {
    const partialPath = this.#outputPath + PARTIAL_EXTENSION;
    try {
      for (const digest of this.#members.keys()) {
        if (!this.#finished.has(digest)) throw new DtError('DT_OUTPUT_FAILED', `blob ${digest} was never written`);
      }
      await beforeRename?.(partialPath);
      await this.#close();
      await rename(partialPath, this.#outputPath);
    } catch (error) {
      throw toOutputError(error, this.#outputPath);
    }
  }

  /**
   * Closes the file and keeps what is finished for the next run; a file without any finished blob is removed. Returns
   * the path of the file that stays, if it does.
   */
  async abandon(): Promise<string | undefined> {
    const partialPath = this.#outputPath + PARTIAL_EXTENSION;
    await this.#close();
    if (this.#finished.size > 0) return partialPath;
    await rm(partialPath, { force: true });
    return undefined;
  }

  async #close(): Promise<void> {
    await this.#thread?.close();
    await this.#handle.close();
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

/** A device or a folder is no place for a file that is renamed into position. Throws DT_OUTPUT_FAILED. */
export async function requireRegularOutput(path: string): Promise<void> {
  try {
    if ((await stat(path)).isFile()) return;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return;
    throw toOutputError(error, path);
  }
  throw new DtError('DT_OUTPUT_FAILED', `${path} exists and is not a regular file`);
}

/** A link under this name is not followed: somebody else may have put it there. */
async function openOrCreate(path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDWR | constants.O_NOFOLLOW);
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    return open(path, 'wx+', 0o644);
  }
}

/** The blobs that lie finished and intact in a partial file, provided that its small members are those of the plan. */
async function findFinishedBlobs(
  handle: FileHandle,
  plan: WrapPlan,
  signal: AbortSignal | undefined,
): Promise<Set<Digest>> {
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

function toPlace({ offset, tarHeader, sizeBytes }: LargeMember): MemberPlace {
  return { offset, tarHeader, sizeBytes, paddingBytes: tarPaddingBytes(sizeBytes) };
}

/** Writes a large entry of which the bytes are known. */
function writeMember(handle: FileHandle, member: LargeMember, bytes: Uint8Array): void {
  const place = toPlace(member);
  const crc = new ContentCrc(place);
  crc.update(bytes);
  const writer = new StoredMemberWriter(handle.fd, place);
  writer.write(bytes);
  writer.finish(crc.finish());
}

async function writeAll(handle: FileHandle, bytes: Buffer, offset: number): Promise<void> {
  for (let written = 0; written < bytes.length;) {
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
