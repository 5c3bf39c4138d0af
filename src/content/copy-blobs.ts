import { Readable } from 'node:stream';
import type { Descriptor } from '../domain/oci/descriptor.ts';
import { BufferReclaimer } from './buffer-reclaimer.ts';
import type { CopyJob, CopyOptions, CopySummary } from './copy-job.ts';
import type { JobFailures } from './job-failures.ts';
import type { BlobTarget, BlobTask } from './plan-blob-tasks.ts';
import { readFromAny } from './read-from-any.ts';
import { retryMismatch } from './retry-mismatch.ts';
import { isSequentialStore, type BlobOutcome, type ReadableStore, type WritableStore } from './store.ts';
import { verifyBlob } from './verified-stream.ts';

/** One blob on its way into one target. */
interface BlobWrite {
  readonly descriptor: Descriptor;
  readonly target: WritableStore;
  readonly from: ReadableStore;
  /** Opens the bytes in `from`. */
  readonly open: () => Promise<Readable>;
  /** A store of the target's mount scope that has the blob. */
  readonly sibling?: WritableStore | undefined;
}

/** The blob work of a copy. A failure is noted for the jobs that need the blob; what is fatal is thrown. */
export class BlobCopier {
  readonly #options: CopyOptions;
  readonly #failures: JobFailures<CopyJob>;
  readonly #reclaimer = new BufferReclaimer();
  readonly #blobs: Record<BlobOutcome, number> = { present: 0, mounted: 0, written: 0 };
  #sentBytes = 0;

  constructor(options: CopyOptions, failures: JobFailures<CopyJob>) {
    this.#options = options;
    this.#failures = failures;
  }

  summary(): Omit<CopySummary, 'failures'> {
    return { blobs: this.#blobs, sentBytes: this.#sentBytes };
  }

  /** The targets of which a job has not failed. */
  openTargets({ targets }: BlobTask): BlobTarget[] {
    return targets.filter(({ jobs }) => jobs.some((job) => !this.#failures.has(job)));
  }

  /** Brings a blob to all its targets that still matter. */
  async copy(task: BlobTask, signal: AbortSignal): Promise<void> {
    await this.copyTo(this.openTargets(task), task, task.sibling, signal);
  }

  /** Brings a blob to some of its targets. `sibling` is a target that has it already. */
  async copyTo(
    targets: readonly BlobTarget[],
    task: BlobTask,
    sibling: WritableStore | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    let last = sibling;
    for (const { store, jobs } of targets) {
      try {
        await this.#writeFromAny(task, store, last, signal);
        last = store;
      } catch (error) {
        this.#failures.record(jobs, error, signal);
      }
    }
  }

  /** Writes a blob into a target, verified by one of the two ends, and counts it. */
  async write({ descriptor, target, from, open, sibling }: BlobWrite, signal: AbortSignal): Promise<void> {
    const onBytes = (sizeBytes: number): void => {
      this.#sentBytes += sizeBytes;
      this.#reclaimer.addBytes(sizeBytes);
      this.#options.onBytes?.(descriptor, sizeBytes, true);
    };
    const openVerified = async (): Promise<Readable> => {
      const stream = await open();
      if (target.verifiesWrites === true) return stream;
      return from.verifiesBlobs === true
        ? countBytes(stream, onBytes)
        : verifyBlob(stream, descriptor, from.name, onBytes);
    };
    // Nobody mounts from itself.
    const mountFrom = sibling?.name === target.name ? undefined : sibling?.repository;
    const options = { signal, mountFrom, sourceName: from.name, onBytes };
    const outcome = await target.writeBlob(descriptor, openVerified, options);
    this.#blobs[outcome]++;
    if (outcome !== 'written') this.#options.onBytes?.(descriptor, descriptor.size, false);
  }

  async #writeFromAny(
    { descriptor, sources }: BlobTask,
    target: WritableStore,
    sibling: WritableStore | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    await readFromAny(sources, signal, async (source) => {
      // A target that refuses the mount gets the blob from its source again, or, when that was a stream, from its sibling.
      const isReopened = sibling !== undefined && isSequentialStore(source) && isReadable(sibling);
      const from: ReadableStore = isReopened ? sibling : source;
      await retryMismatch(from, async (bypassesCaches) => {
        const open = async (): Promise<Readable> => from.openBlob(descriptor, { signal, bypassesCaches });
        await this.write({ descriptor, target, from, open, sibling }, signal);
      });
    });
  }
}

function countBytes(stream: Readable, onBytes: (sizeBytes: number) => void): Readable {
  const counted = (async function* () {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      onBytes(chunk.length);
      yield chunk;
    }
  })();
  return Readable.from(counted, { objectMode: false });
}

function isReadable(store: WritableStore): store is WritableStore & ReadableStore {
  return 'openBlob' in store;
}
