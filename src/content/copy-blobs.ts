import { Readable } from 'node:stream';
import { DtError, isFatal } from '../domain/errors.ts';
import type { Descriptor } from '../domain/oci/descriptor.ts';
import type { Digest } from '../domain/oci/digest.ts';
import { BufferReclaimer } from './buffer-reclaimer.ts';
import type { CopyJob, CopyOptions, CopySummary } from './copy-job.ts';
import type { JobFailures } from './job-failures.ts';
import { mapConcurrently } from './map-concurrently.ts';
import type { BlobTarget, BlobTask } from './plan-blob-tasks.ts';
import { retryMismatch } from './retry-mismatch.ts';
import {
  isSequentialStore,
  type BlobOutcome,
  type ReadableStore,
  type SequentialStore,
  type WritableStore,
} from './store.ts';
import { verifyBlob } from './verified-stream.ts';

/** How often a sequential source is read for blobs whose bytes were lost on a failing target. */
const MAX_PASSES = 2;

type OpenBytes = () => Promise<Readable>;

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

  /** Brings a blob to all its targets that still matter. */
  async copy(task: BlobTask, signal: AbortSignal): Promise<void> {
    let sibling: WritableStore | undefined;
    for (const target of this.#openTargets(task)) {
      try {
        await this.#writeFromAny(task, target.store, sibling, signal);
        sibling = target.store;
      } catch (error) {
        this.#failures.record(target.jobs, error, signal);
      }
    }
  }

  /** For a source that is one stream: what a target lacks is taken from it in the order in which it comes. */
  async copyInOrder(tasks: readonly BlobTask[], source: SequentialStore): Promise<void> {
    const signal = this.#options.signal ?? new AbortController().signal;
    let missing = await this.#copyPresent(tasks);
    for (let pass = 1; pass <= MAX_PASSES && missing.size > 0; pass++) {
      const pending = missing;
      const failed = new Map<Digest, BlobTask>();
      const isLast = pass === MAX_PASSES;
      await source.readBlobsInOrder(
        new Set(pending.keys()),
        async (digest, stream) => {
          const task = pending.get(digest);
          if (task === undefined) return;
          pending.delete(digest);
          if (!(await this.#copyStreamed(task, stream, isLast, signal))) failed.set(digest, task);
          await drain(stream);
        },
        signal,
      );
      for (const [digest, task] of pending) {
        const error = new DtError('DT_WRAP_INCOMPLETE', `blob ${digest} is missing in ${source.name}`);
        for (const { jobs } of task.targets) this.#failures.record(jobs, error, signal);
      }
      missing = new Map([...failed].filter(([, task]) => this.#openTargets(task).length > 0));
    }
  }

  /** Copies what the first target has already; returns the rest. */
  async #copyPresent(tasks: readonly BlobTask[]): Promise<Map<Digest, BlobTask>> {
    const missing = new Map<Digest, BlobTask>();
    await mapConcurrently(tasks, this.#options, async (task, signal) => {
      const [first] = task.targets;
      try {
        if (first !== undefined && (await first.store.hasBlob(task.descriptor, signal))) {
          await this.copy(task, signal);
          return;
        }
      } catch (error) {
        if (signal.aborted || isFatal(error)) throw error;
      }
      missing.set(task.descriptor.digest, task);
    });
    return missing;
  }

  /**
   * Writes a stream to the first target and from there to the others. Returns false if the first one failed and the stream
   * with it: then another target is the first one of the next pass, or in the last pass all have failed.
   */
  async #copyStreamed(task: BlobTask, stream: Readable, isLast: boolean, signal: AbortSignal): Promise<boolean> {
    const [first, ...others] = this.#openTargets(task);
    if (first === undefined) return true;
    const [source] = task.sources;
    try {
      await this.#write(task.descriptor, first.store, source, openOnce(stream, task.descriptor), undefined, signal);
    } catch (error) {
      // Nothing after a damaged place of the stream can be trusted.
      if (stream.errored !== null) throw stream.errored;
      if (isLast) for (const { jobs } of [first, ...others]) this.#failures.record(jobs, error, signal);
      else if (signal.aborted || isFatal(error)) throw error;
      task.targets.splice(0, task.targets.length, ...others, first);
      return false;
    }
    let sibling = first.store;
    for (const { store, jobs } of others) {
      try {
        await this.#writeFromAny(task, store, sibling, signal);
        sibling = store;
      } catch (error) {
        this.#failures.record(jobs, error, signal);
      }
    }
    return true;
  }

  /** The targets of which a job has not failed. */
  #openTargets({ targets }: BlobTask): BlobTarget[] {
    return targets.filter(({ jobs }) => jobs.some((job) => !this.#failures.has(job)));
  }

  /** Throws what the first source failed with, once all have. */
  async #writeFromAny(
    { descriptor, sources }: BlobTask,
    target: WritableStore,
    sibling: WritableStore | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    let failure: { readonly error: unknown } | undefined;
    for (const source of sources) {
      // A target that refuses the mount gets the blob from its source again, or, when that was a stream, from its sibling.
      const isReopened = sibling !== undefined && isSequentialStore(source) && isReadable(sibling);
      const from: ReadableStore = isReopened ? sibling : source;
      try {
        await retryMismatch(from, async (bypassesCaches) => {
          const open = async (): Promise<Readable> => from.openBlob(descriptor, { signal, bypassesCaches });
          await this.#write(descriptor, target, from, open, sibling, signal);
        });
        return;
      } catch (error) {
        if (signal.aborted || isFatal(error)) throw error;
        failure ??= { error };
      }
    }
    throw failure?.error;
  }

  async #write(
    descriptor: Descriptor,
    target: WritableStore,
    from: ReadableStore,
    open: OpenBytes,
    sibling: WritableStore | undefined,
    signal: AbortSignal,
  ): Promise<void> {
    const onBytes = (sizeBytes: number): void => {
      this.#sentBytes += sizeBytes;
      this.#reclaimer.addBytes(sizeBytes);
      this.#options.onBytes?.(sizeBytes);
    };
    const openVerified = async (): Promise<Readable> => {
      const stream = await open();
      if (target.verifiesWrites === true) return stream;
      return from.verifiesBlobs === true
        ? countBytes(stream, onBytes)
        : verifyBlob(stream, descriptor, from.name, onBytes);
    };
    const options = { signal, mountFrom: sibling?.repository, sourceName: from.name, onBytes };
    const outcome = await target.writeBlob(descriptor, openVerified, options);
    this.#blobs[outcome]++;
    if (outcome !== 'written') this.#options.onBytes?.(descriptor.size);
  }
}

/** Hands the bytes of a stream out once; whoever takes them cannot end the stream. */
function openOnce(stream: Readable, { digest }: Descriptor): OpenBytes {
  let isOpened = false;
  const read = async function* (): AsyncGenerator<Buffer> {
    // Not `yield*`: that hands errors of the taker to the stream, which ends it.
    for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) yield chunk;
  };
  return async () => {
    if (isOpened) {
      throw new DtError('DT_REGISTRY_ERROR', `the upload of blob ${digest} broke off`, { side: 'destination' });
    }
    isOpened = true;
    return Promise.resolve(Readable.from(read(), { objectMode: false }));
  };
}

/** Reads a stream to its end, so that the next one can come. */
async function drain(stream: Readable): Promise<void> {
  if (stream.readableEnded || stream.destroyed) return;
  for await (const _chunk of stream.iterator({ destroyOnReturn: false })) {
    // Skipped.
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
