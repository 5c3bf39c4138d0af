import { isDtError } from '../domain/errors.ts';
import type { Digest } from '../domain/oci/digest.ts';
import { BlobCopier } from './copy-blobs.ts';
import { OrderedCopier } from './copy-in-order.ts';
import type { CopyJob, CopyOptions, CopySummary } from './copy-job.ts';
import { JobFailures } from './job-failures.ts';
import { mapConcurrently } from './map-concurrently.ts';
import { planBlobTasks, type BlobTask } from './plan-blob-tasks.ts';
import { isSequentialStore, type ReadableStore } from './store.ts';
import { writeManifests } from './write-manifests.ts';

/**
 * Copies the graphs: first every blob, each once per target registry, verified while it streams; then the manifests,
 * children before parents, roots with their tags. A blob that fails fails the jobs that need it, whose other blobs are not
 * begun any more and of which no manifest is written; the other jobs go on. Only what is fatal (`isFatal`), and a damaged
 * sequential source, ends everything and is thrown.
 */
export async function copyGraphs(jobs: readonly CopyJob[], options: CopyOptions): Promise<CopySummary> {
  const failures = new JobFailures<CopyJob>();
  const copier = new BlobCopier(options, failures);
  const all = [...jobs, ...(options.companions ?? [])];
  const tasks = planBlobTasks(all);
  const sequential = all.map(({ source }) => source).find(isSequentialStore);
  if (sequential === undefined) {
    await mapConcurrently(tasks, options, async (task, signal) => copier.copy(task, signal));
  } else {
    const [streamed, other] = [true, false].map((isStreamed) =>
      tasks.filter(({ sources }) => sources.some(isSequentialStore) === isStreamed),
    ) as [BlobTask[], BlobTask[]];
    await mapConcurrently(other, options, async (task, signal) => copier.copy(task, signal));
    await new OrderedCopier(copier, options, failures).copy(streamed, sequential);
    await sequential.finish?.();
  }
  await writeManifests(
    jobs.filter((job) => !failures.has(job)),
    options,
    failures,
  );
  const own = new Set(jobs);
  return { ...copier.summary(), failures: new Map([...failures.all].filter(([job]) => own.has(job))) };
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
