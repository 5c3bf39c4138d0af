import { isDtError } from '../domain/errors.ts';
import type { Digest } from '../domain/oci/digest.ts';
import { BlobCopier } from './copy-blobs.ts';
import { OrderedCopier } from './copy-in-order.ts';
import type { CopyJob, CopyOptions, CopySummary } from './copy-job.ts';
import { JobFailures } from './job-failures.ts';
import { mapConcurrently } from './map-concurrently.ts';
import { planBlobTasks } from './plan-blob-tasks.ts';
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
  const tasks = planBlobTasks(jobs);
  const sequential = tasks.flatMap(({ sources }) => sources).find(isSequentialStore);
  if (sequential === undefined) {
    await mapConcurrently(tasks, options, async (task, signal) => copier.copy(task, signal));
  } else {
    await new OrderedCopier(copier, options, failures).copy(tasks, sequential);
  }
  await writeManifests(
    jobs.filter((job) => !failures.has(job)),
    options,
    failures,
  );
  return { ...copier.summary(), failures: failures.all };
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
