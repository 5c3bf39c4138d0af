import type { Descriptor } from '../domain/oci/descriptor.ts';
import type { Digest } from '../domain/oci/digest.ts';
import type { CopyJob } from './copy-job.ts';
import type { ReadableStore, WritableStore } from './store.ts';

/** A store that a blob goes to, with the jobs that need it there. */
export interface BlobTarget {
  readonly store: WritableStore;
  readonly jobs: CopyJob[];
}

/** A blob on its way to every target of one mount scope: it is sent to one of them and mounted into the others. */
export interface BlobTask {
  readonly descriptor: Descriptor;
  /** Any of them has the blob. */
  readonly sources: [ReadableStore, ...ReadableStore[]];
  readonly targets: BlobTarget[];
}

/** The blobs of all jobs, each once per mount scope, the largest first: no big one is left alone at the end. */
export function planBlobTasks(jobs: readonly CopyJob[]): BlobTask[] {
  const scopes = new Map<unknown, Map<Digest, BlobTask>>();
  for (const job of jobs) {
    const scope = job.target.mountScope ?? job.target;
    const tasks = scopes.get(scope) ?? new Map<Digest, BlobTask>();
    scopes.set(scope, tasks);
    for (const descriptor of job.graph.blobs) {
      const task = tasks.get(descriptor.digest);
      if (task === undefined) {
        const targets = [{ store: job.target, jobs: [job] }];
        tasks.set(descriptor.digest, { descriptor, sources: [job.source], targets });
      } else addJob(task, job);
    }
  }
  return [...scopes.values()]
    .flatMap((tasks) => [...tasks.values()])
    .sort((left, right) => right.descriptor.size - left.descriptor.size);
}

function addJob({ sources, targets }: BlobTask, job: CopyJob): void {
  if (!sources.some(({ name }) => name === job.source.name)) sources.push(job.source);
  const target = targets.find(({ store }) => store.name === job.target.name);
  if (target === undefined) targets.push({ store: job.target, jobs: [job] });
  else target.jobs.push(job);
}
