import { Readable } from 'node:stream';
import { DtError, isDtError } from '../domain/errors.ts';
import type { Descriptor, ManifestContent } from '../domain/oci/descriptor.ts';
import type { Digest } from '../domain/oci/digest.ts';
import { BufferReclaimer } from './buffer-reclaimer.ts';
import { mapConcurrently } from './map-concurrently.ts';
import type { Graph } from './read-graph.ts';
import {
  isSequentialStore,
  type BlobOutcome,
  type ReadableStore,
  type SequentialStore,
  type WritableStore,
} from './store.ts';
import { verifyBlob } from './verified-stream.ts';

/** One image (or artifact) that goes from one store to another, under the tags given. */
export interface CopyJob {
  readonly source: ReadableStore;
  readonly target: WritableStore;
  readonly graph: Graph;
  readonly tags: readonly string[];
  /** Pushed as the root when the target refuses the graph's own, for instance an index of which children are missing. */
  readonly fallbackRoot?: ManifestContent | undefined;
}

export interface CopyOptions {
  /** Blobs on their way at the same time. */
  readonly concurrency: number;
  readonly signal?: AbortSignal | undefined;
  /** Called for every chunk that is written, and with the whole size of a blob that need not be sent. */
  readonly onBytes?: ((sizeBytes: number) => void) | undefined;
}

export interface CopySummary {
  readonly blobs: Readonly<Record<BlobOutcome, number>>;
  /** Bytes that were really sent. */
  readonly sentBytes: number;
}

/** The blob work of all jobs: a blob is sent to one target of a mount scope and mounted into the others. */
interface BlobTask {
  readonly descriptor: Descriptor;
  readonly source: ReadableStore;
  readonly targets: WritableStore[];
}

/**
 * Copies the graphs: first every blob, each once per target registry, verified while it streams; then the manifests,
 * children before parents, roots with their tags. The first failure stops the rest; no manifest is written before
 * all blobs are there.
 */
export async function copyGraphs(jobs: readonly CopyJob[], options: CopyOptions): Promise<CopySummary> {
  const copier = new BlobCopier(options);
  const tasks = planBlobTasks(jobs);
  const sequential = tasks.map((task) => task.source).find(isSequentialStore);
  if (sequential === undefined) {
    await mapConcurrently(tasks, options, async (task, signal) => copier.copy(task, signal));
  } else {
    await copier.copyInOrder(tasks, sequential);
  }
  await mapConcurrently(jobs, options, async (job, signal) => {
    for (const manifest of job.graph.manifests) await job.target.writeManifest(manifest, [], signal);
    await writeRoot(job, signal);
  });
  return copier.summary();
}

async function writeRoot({ target, graph, tags, fallbackRoot }: CopyJob, signal: AbortSignal): Promise<void> {
  try {
    await target.writeManifest(graph.root, tags, signal);
  } catch (error) {
    if (fallbackRoot === undefined || !isDtError(error, 'DT_REGISTRY_ERROR', 'DT_NOT_FOUND')) throw error;
    await target.writeManifest(fallbackRoot, tags, signal);
  }
}

function planBlobTasks(jobs: readonly CopyJob[]): BlobTask[] {
  const scopes = new Map<unknown, Map<Digest, BlobTask>>();
  for (const { source, target, graph } of jobs) {
    const scope = target.mountScope ?? target;
    const tasks = scopes.get(scope) ?? new Map<Digest, BlobTask>();
    scopes.set(scope, tasks);
    for (const descriptor of graph.blobs) {
      const task = tasks.get(descriptor.digest);
      if (task === undefined) tasks.set(descriptor.digest, { descriptor, source, targets: [target] });
      else if (!task.targets.some((other) => other.name === target.name)) task.targets.push(target);
    }
  }
  // The largest first, so that no big blob is left alone at the end.
  return [...scopes.values()]
    .flatMap((tasks) => [...tasks.values()])
    .sort((left, right) => right.descriptor.size - left.descriptor.size);
}

class BlobCopier {
  readonly #options: CopyOptions;
  readonly #reclaimer = new BufferReclaimer();
  readonly #blobs: Record<BlobOutcome, number> = { present: 0, mounted: 0, written: 0 };
  #sentBytes = 0;

  constructor(options: CopyOptions) {
    this.#options = options;
  }

  summary(): CopySummary {
    return { blobs: this.#blobs, sentBytes: this.#sentBytes };
  }

  async copy(task: BlobTask, signal: AbortSignal): Promise<void> {
    const { descriptor, source } = task;
    await this.#write(task, signal, async () => source.openBlob(descriptor, { signal }));
  }

  /** For a source that is one stream: what a target lacks is taken from it in the order in which it comes. */
  async copyInOrder(tasks: readonly BlobTask[], source: SequentialStore): Promise<void> {
    const options = this.#options;
    const missing = new Map<Digest, BlobTask>();
    await mapConcurrently(tasks, options, async (task, signal) => {
      const [first] = task.targets;
      if (first !== undefined && (await first.hasBlob(task.descriptor, signal))) await this.copy(task, signal);
      else missing.set(task.descriptor.digest, task);
    });
    const signal = options.signal ?? new AbortController().signal;
    await source.readBlobsInOrder(
      new Set(missing.keys()),
      async (digest, stream) => {
        const task = missing.get(digest);
        if (task === undefined) return;
        missing.delete(digest);
        await this.#write(task, signal, () => Promise.resolve(stream));
      },
      signal,
    );
    const [lost] = missing.keys();
    if (lost !== undefined) throw new DtError('DT_WRAP_INCOMPLETE', `blob ${lost} is missing in ${source.name}`);
  }

  async #write(task: BlobTask, signal: AbortSignal, open: () => Promise<Readable>): Promise<void> {
    const { descriptor, source, targets } = task;
    const onBytes = (sizeBytes: number): void => {
      this.#sentBytes += sizeBytes;
      this.#reclaimer.addBytes(sizeBytes);
      this.#options.onBytes?.(sizeBytes);
    };
    let previous: WritableStore | undefined;
    for (const target of targets) {
      const sibling = previous;
      // A target that refuses the mount gets the blob from its source again, or, when that was a stream, from its sibling.
      const isReopened = sibling !== undefined && isSequentialStore(source) && isReadable(sibling);
      const from: ReadableStore = isReopened ? sibling : source;
      const openBytes = isReopened ? async () => sibling.openBlob(descriptor, { signal }) : open;
      const openVerified = async (): Promise<Readable> => {
        const stream = await openBytes();
        if (target.verifiesWrites === true) return stream;
        return from.verifiesBlobs === true
          ? countBytes(stream, onBytes)
          : verifyBlob(stream, descriptor, from.name, onBytes);
      };
      const options = { signal, mountFrom: sibling?.repository, sourceName: from.name, onBytes };
      const outcome = await target.writeBlob(descriptor, openVerified, options);
      this.#blobs[outcome]++;
      if (outcome !== 'written') this.#options.onBytes?.(descriptor.size);
      previous = target;
    }
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

/** The digest that a tag has in the store, or undefined if there is no such tag. */
export async function findTag(store: ReadableStore, tag: string, signal?: AbortSignal): Promise<Digest | undefined> {
  try {
    return (await store.resolve(tag, signal)).digest;
  } catch (error) {
    if (isDtError(error, 'DT_NOT_FOUND')) return undefined;
    throw error;
  }
}
