import type { Readable } from 'node:stream';
import { DtError } from '../domain/errors.ts';
import type { Digest } from '../domain/oci/digest.ts';
import { BlobThread } from './blob-thread.ts';
import { toBlobError } from './blob-error.ts';
import { findFinishedBlobs, groupBlobMembers } from './finished-members.ts';
import { requireRegularOutput, toOutputError } from './output-path.ts';
import { PartialOutput } from './partial-output.ts';
import { readBack } from './read-back.ts';
import type { SegmentedFile } from './segmented-file.ts';
import { ContentCrc, StoredMemberWriter, type MemberPlace } from './stored-member-writer.ts';
import { tarPaddingBytes } from './tar-header.ts';
import { transferBlob } from './transfer-blob.ts';
import type { LargeMember, WrapPlan } from './wrap-plan.ts';

export interface WriteBlobOptions {
  /** What messages call the place that the bytes come from. */
  readonly sourceName?: string;
  /** Hears the size of every chunk. */
  readonly onBytes?: ((sizeBytes: number) => void) | undefined;
}

export interface WrapWriterOptions {
  readonly signal?: AbortSignal | undefined;
  /** One that was started early; it is closed with the writer. */
  readonly thread?: BlobThread | undefined;
  /** Cut the wrap into parts of at most so many bytes. */
  readonly partBytes?: number | undefined;
}

/** What became of a wrap that is complete. */
export interface WrittenWrap {
  readonly sizeBytes: number;
  /** The parts; none for a wrap in one file. */
  readonly parts: readonly string[];
  /** Files of a former wrap of this name that were in the way. */
  readonly removed: readonly string[];
}

/**
 * Writes a planned wrap in place: every large blob into its own region, in parallel, while it streams. The file is
 * called `OUTPUT.partial`, its parts `OUTPUT.001.partial` and so on, until `finish`; a member counts as finished when its gzip header is
 * there, so an interrupted run is continued from the file alone.
 */
export class WrapWriter {
  /** Blobs that a former run has finished. */
  readonly continuedBlobs: number;
  /** True if there was a partial file that does not fit this plan. */
  readonly replacesPartial: boolean;
  readonly #output: PartialOutput;
  readonly #outputPath: string;
  readonly #plan: WrapPlan;
  readonly #members: ReadonlyMap<Digest, readonly LargeMember[]>;
  readonly #finished: Set<Digest>;
  readonly #signal: AbortSignal | undefined;
  #thread: BlobThread | undefined;

  private constructor(
    outputPath: string,
    plan: WrapPlan,
    { output, finished, isReplaced }: { output: PartialOutput; finished: Set<Digest>; isReplaced: boolean },
    { signal, thread }: WrapWriterOptions,
  ) {
    this.#output = output;
    this.#outputPath = outputPath;
    this.#plan = plan;
    this.#members = groupBlobMembers(plan);
    this.#finished = finished;
    this.#signal = signal;
    this.#thread = thread;
    this.continuedBlobs = finished.size;
    this.replacesPartial = isReplaced;
  }

  /**
   * Opens the partial file or parts, and writes everything but the blobs. Blobs that a former run of the same plan has finished
   * are hashed again and kept. Throws DT_OUTPUT_FAILED or DT_DISK_FULL, DT_USAGE for too many parts.
   */
  static async open(outputPath: string, plan: WrapPlan, options: WrapWriterOptions = {}): Promise<WrapWriter> {
    const { signal, partBytes } = options;
    try {
      await requireRegularOutput(outputPath);
      const output = await PartialOutput.open(outputPath, { totalBytes: plan.totalBytes, partBytes });
      try {
        const finished = (await output.hasLengths())
          ? await findFinishedBlobs(output.file, plan, signal)
          : new Set<Digest>();
        const isReplaced = finished.size === 0 && (await output.clear());
        for (const member of plan.members) {
          if (member.kind === 'small') await output.file.write(member.bytes, member.offset);
          else if (typeof member.content !== 'string') writeMember(output.file, member, member.content);
        }
        await output.stretch();
        return new WrapWriter(outputPath, plan, { output, finished, isReplaced }, options);
      } catch (error) {
        await output.file.close();
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
    const job = { file: this.#output.file.segments, digest, sizeBytes, places };
    this.#thread ??= new BlobThread();
    try {
      const failure = await transferBlob(this.#thread, job, stream as AsyncIterable<Buffer>, options.onBytes);
      if (failure !== undefined) throw toBlobError(failure, digest, sizeBytes, options.sourceName ?? 'its source');
      this.#finished.add(digest);
    } catch (error) {
      throw toOutputError(error, this.#outputPath);
    }
  }

  /**
   * Gives the file, or the parts, the final names, once `beforeRename` has had the complete content. Parts are read back first, and their
   * checksums lie beside them. Throws DT_OUTPUT_FAILED if a blob is missing, or what is read back is not what was written.
   */
  async finish(beforeRename?: (file: SegmentedFile) => Promise<void>): Promise<WrittenWrap> {
    const { file, partPaths, lengths } = this.#output;
    try {
      for (const digest of this.#members.keys()) {
        if (!this.#finished.has(digest)) throw new DtError('DT_OUTPUT_FAILED', `blob ${digest} was never written`);
      }
      const checksums = partPaths.length === 0 ? [] : await readBack(file, lengths, this.#plan, this.#signal);
      await beforeRename?.(file);
      await this.#close();
      const removed = await this.#output.publish(checksums);
      return { sizeBytes: this.#plan.totalBytes, parts: partPaths, removed };
    } catch (error) {
      throw toOutputError(error, this.#outputPath);
    }
  }

  /**
   * Closes the file and keeps what is finished for the next run; a file without any finished blob is removed. Returns
   * the path of the file that stays, if it does.
   */
  async abandon(): Promise<string | undefined> {
    await this.#close();
    if (this.#finished.size > 0) return this.#output.name;
    await this.#output.remove();
    return undefined;
  }

  async #close(): Promise<void> {
    await this.#thread?.close();
    await this.#output.file.close();
  }
}

function toPlace({ offset, tarHeader, sizeBytes }: LargeMember): MemberPlace {
  return { offset, tarHeader, sizeBytes, paddingBytes: tarPaddingBytes(sizeBytes) };
}

/** Writes a large entry of which the bytes are known. */
function writeMember(file: SegmentedFile, member: LargeMember, bytes: Uint8Array): void {
  const place = toPlace(member);
  const crc = new ContentCrc(place);
  crc.update(bytes);
  const writer = new StoredMemberWriter(file.segments, place);
  writer.write(bytes);
  writer.finish(crc.finish());
}
