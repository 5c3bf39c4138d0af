import type { DtError } from '../domain/errors.ts';
import type { Progress, Reporter } from './ports.ts';

export interface StepOutcome<T> {
  /** What makes the step show as failed; undefined for a result that is a success, or half of one. */
  readonly findFailure: (result: T) => DtError | undefined;
  readonly done: (result: T) => string;
}

/** Runs a step that may fail and yet have a result. Errors pass through. */
export async function runStep<T>(
  reporter: Reporter,
  title: string,
  run: (progress: Progress) => Promise<T>,
  { findFailure, done }: StepOutcome<T>,
): Promise<T> {
  let failed: { readonly result: T } | undefined;
  try {
    return await reporter.step(
      title,
      async (progress) => {
        const result = await run(progress);
        const failure = findFailure(result);
        if (failure === undefined) return result;
        failed = { result };
        throw failure;
      },
      done,
    );
  } catch (error) {
    if (failed !== undefined) return failed.result;
    throw error;
  }
}
