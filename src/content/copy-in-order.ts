import { Readable } from 'node:stream';
import { isFatal } from '../domain/error-rules.ts';
import { DtError } from '../domain/errors.ts';
import type { Descriptor } from '../domain/oci/descriptor.ts';
import type { Digest } from '../domain/oci/digest.ts';
import type { BlobCopier } from './copy-blobs.ts';
import type { CopyJob, CopyOptions } from './copy-job.ts';
import { drainStream } from './drain-stream.ts';
import type { JobFailures } from './job-failures.ts';
import { mapConcurrently } from './map-concurrently.ts';
import type { BlobTask } from './plan-blob-tasks.ts';
import { isSequentialStore, type SequentialStore } from './store.ts';

/** How often a sequential source is read for blobs whose bytes were lost on a failing target. */
const MAX_PASSES = 2;

/** Copies from a source that is one stream: what a target lacks is taken from it in the order in which it comes. */
export class OrderedCopier {
  readonly #copier: BlobCopier;
  readonly #options: CopyOptions;
  readonly #failures: JobFailures<CopyJob>;

  /** `copier` writes the blobs, `failures` are those that it notes. */
  constructor(copier: BlobCopier, options: CopyOptions, failures: JobFailures<CopyJob>) {
    this.#copier = copier;
    this.#options = options;
    this.#failures = failures;
  }

  /** Brings the blobs to their targets. Throws what is fatal, and what a damaged source ends with. */
  async copy(tasks: readonly BlobTask[], source: SequentialStore): Promise<void> {
    const signal = this.#options.signal ?? new AbortController().signal;
    let missing = await this.#copyPresent(tasks);
    const passes = Math.min(source.maxPasses ?? MAX_PASSES, MAX_PASSES);
    for (let pass = 1; pass <= passes && missing.size > 0; pass++) {
      const pending = missing;
      const failed = new Map<Digest, BlobTask>();
      const isLast = pass === passes;
      await source.readBlobsInOrder(
        new Set(pending.keys()),
        async (digest, stream) => {
          const task = pending.get(digest);
          if (task === undefined) return;
          pending.delete(digest);
          if (!(await this.#copyStreamed(task, stream, isLast, signal))) failed.set(digest, task);
          await drainStream(stream);
        },
        signal,
      );
      for (const [digest, task] of pending) {
        const error = new DtError('DT_WRAP_INCOMPLETE', `blob ${digest} is missing in ${source.name}`);
        for (const { jobs } of task.targets) this.#failures.record(jobs, error, signal);
      }
      missing = new Map([...failed].filter(([, task]) => this.#copier.openTargets(task).length > 0));
    }
  }

  /** Copies what the first target has already, and what does not come from the stream; returns the rest. */
  async #copyPresent(tasks: readonly BlobTask[]): Promise<Map<Digest, BlobTask>> {
    const missing = new Map<Digest, BlobTask>();
    await mapConcurrently(tasks, this.#options, async (task, signal) => {
      const [first] = task.targets;
      try {
        const isElsewhere = !task.sources.some(isSequentialStore);
        if (isElsewhere || (first !== undefined && (await first.store.hasBlob(task.descriptor, signal)))) {
          await this.#copier.copy(task, signal);
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
    const [first, ...others] = this.#copier.openTargets(task);
    if (first === undefined) return true;
    const { descriptor, sources, targets } = task;
    try {
      await this.#copier.write(
        { descriptor, target: first.store, from: sources[0], open: openOnce(stream, descriptor) },
        signal,
      );
    } catch (error) {
      // Nothing after a damaged place of the stream can be trusted.
      if (stream.errored !== null) throw stream.errored;
      if (isLast) for (const { jobs } of [first, ...others]) this.#failures.record(jobs, error, signal);
      else if (signal.aborted || isFatal(error)) throw error;
      targets.splice(0, targets.length, ...others, first);
      return false;
    }
    await this.#copier.copyTo(others, task, first.store, signal);
    return true;
  }
}

/** Hands the bytes of a stream out once; whoever takes them cannot end the stream. */
function openOnce(stream: Readable, { digest }: Descriptor): () => Promise<Readable> {
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
