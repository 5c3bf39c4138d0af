import { isDtError } from '../domain/errors.ts';
import type { ManifestContent } from '../domain/oci/descriptor.ts';
import type { CopyJob } from './copy-job.ts';
import type { JobFailures } from './job-failures.ts';
import { mapConcurrently, type ConcurrencyOptions } from './map-concurrently.ts';
import type { Graph } from './read-graph.ts';
import type { WritableStore } from './store.ts';

/**
 * Writes the manifests of the jobs, children before parents, roots with their tags. No manifest is written while another that
 * points to it is: some registries (distribution 2) write their files in place, and do not find a child in that moment.
 */
export async function writeManifests(
  jobs: readonly CopyJob[],
  options: ConcurrencyOptions,
  failures: JobFailures<CopyJob>,
): Promise<void> {
  const writes = new ManifestWrites();
  const graphs = new Map<CopyJob, Graph>();
  const attempt = async (job: CopyJob, signal: AbortSignal, work: () => Promise<void>): Promise<void> => {
    if (failures.has(job)) return;
    try {
      await work();
    } catch (error) {
      failures.record([job], error, signal);
    }
  };
  await mapConcurrently(jobs, options, async (job, signal) =>
    attempt(job, signal, async () => {
      graphs.set(job, job.graph);
      await withFallback(job, async (graph) => {
        graphs.set(job, graph);
        await writes.writeAll(job.target, graph.manifests, signal);
      });
    }),
  );
  const writeRoot = async (job: CopyJob, signal: AbortSignal): Promise<void> =>
    attempt(job, signal, async () => {
      const chosen = graphs.get(job) ?? job.graph;
      await withFallback(
        { ...job, graph: chosen, fallback: chosen === job.fallback ? undefined : job.fallback },
        async (graph) => {
          if (graph !== chosen) await writes.writeAll(job.target, graph.manifests, signal);
          await writes.write(job.target, graph.root, job.tags, signal);
        },
      );
    });
  const children = new Set(jobs.filter((job) => writes.has(job.target, job.graph.root)));
  await mapConcurrently(
    jobs.filter((job) => !children.has(job)),
    options,
    writeRoot,
  );
  // These have parents among the others, and perhaps among themselves.
  await mapConcurrently([...children], { ...options, concurrency: 1 }, writeRoot);
}

async function withFallback(
  { graph, fallback }: Pick<CopyJob, 'graph' | 'fallback'>,
  write: (graph: Graph) => Promise<void>,
): Promise<void> {
  try {
    await write(graph);
  } catch (error) {
    if (fallback === undefined || !isDtError(error) || !error.isRefusal) throw error;
    await write(fallback);
  }
}

/** What was written where: a manifest that several jobs need goes once into each store. */
class ManifestWrites {
  readonly #scopes = new Map<unknown, Map<string, Promise<void>>>();

  has(target: WritableStore, content: ManifestContent): boolean {
    return this.#writesOf(target).has(keyOf(target, content));
  }

  /** Writes what is not there yet, one after the other in the order given. */
  async writeAll(target: WritableStore, contents: readonly ManifestContent[], signal: AbortSignal): Promise<void> {
    for (const content of contents) await this.write(target, content, [], signal);
  }

  /** Writes one manifest with its tags, after whoever is at it. Without tags nothing is left to do then. */
  async write(
    target: WritableStore,
    content: ManifestContent,
    tags: readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    const writes = this.#writesOf(target);
    const key = keyOf(target, content);
    const before = writes.get(key);
    const start = async (): Promise<void> => target.writeManifest(content, tags, signal);
    const write =
      before === undefined ? start() : tags.length === 0 ? before : before.catch(() => undefined).then(start);
    writes.set(key, write);
    await write;
  }

  #writesOf(target: WritableStore): Map<string, Promise<void>> {
    const scope = target.mountScope ?? target;
    const writes = this.#scopes.get(scope) ?? new Map<string, Promise<void>>();
    this.#scopes.set(scope, writes);
    return writes;
  }
}

function keyOf({ name }: WritableStore, { descriptor }: ManifestContent): string {
  return `${name} ${descriptor.digest}`;
}
