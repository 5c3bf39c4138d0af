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
  /** The source, where the targets may mount the blob from it. */
  readonly sibling?: WritableStore | undefined;
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
      if (task === undefined) tasks.set(descriptor.digest, createTask(descriptor, job));
      else addJob(task, job, descriptor);
    }
  }
  return [...scopes.values()]
    .flatMap((tasks) => [...tasks.values()])
    .sort((left, right) => right.descriptor.size - left.descriptor.size);
}

function createTask(descriptor: Descriptor, job: CopyJob): BlobTask {
  const { target, elsewhere } = job;
  const other = elsewhere?.get(descriptor.digest);
  const isSibling = other?.mountScope !== undefined && other.mountScope === target.mountScope;
  return {
    descriptor,
    sources: [other ?? job.source],
    targets: [{ store: target, jobs: [job] }],
    ...(isSibling ? { sibling: other } : {}),
  };
}

function addJob({ sources, targets }: BlobTask, job: CopyJob, { digest }: Descriptor): void {
  const source = job.elsewhere?.get(digest) ?? job.source;
  if (!sources.some(({ name }) => name === source.name)) sources.push(source);
  const target = targets.find(({ store }) => store.name === job.target.name);
  if (target === undefined) targets.push({ store: job.target, jobs: [job] });
  else target.jobs.push(job);
}
