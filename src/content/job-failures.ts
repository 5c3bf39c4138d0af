import { isFatal } from '../domain/error-rules.ts';
import type { DtError } from '../domain/errors.ts';

/** Which jobs of a copy have failed. The first failure of a job counts. */
export class JobFailures<Job> {
  readonly #failures = new Map<Job, DtError>();

  get all(): ReadonlyMap<Job, DtError> {
    return this.#failures;
  }

  has(job: Job): boolean {
    return this.#failures.has(job);
  }

  /** Throws what ends the whole copy: a fatal failure, and everything after an interruption. */
  record(jobs: readonly Job[], error: unknown, signal: AbortSignal | undefined): void {
    if (signal?.aborted === true || isFatal(error)) throw error;
    for (const job of jobs) if (!this.#failures.has(job)) this.#failures.set(job, error as DtError);
  }
}
