import { nameSide } from '../name-side.ts';
import type { WrapInput } from '../opening/open-input.ts';
import type { RunContext } from '../context.ts';
import { refuseOverwrites } from './check-tags.ts';
import { checkTarget, listTargets, type CheckedUnwrap } from './check-target.ts';
import { confirmPush, warnOfOverwrites } from './confirm-push.ts';
import type { PreparedUnwrap } from './prepare-unwrap.ts';
import { requireBase } from './require-base.ts';

export interface RunUnwrapOptions extends WrapInput {
  /** Do not ask. */
  readonly assumeYes: boolean;
  /** Fail, before anything is pushed, if a tag has another digest in the target. */
  readonly noOverwrite?: boolean;
}

/** What one kind of wrap needs done. */
export interface UnwrapSteps<Prepared, Result> {
  /** Reads the wrap; nobody is asked yet. */
  prepare(): Promise<Prepared>;
  /** The result if the answer was no. */
  decline(prepared: Prepared): Result;
  push(prepared: Prepared, checked: CheckedUnwrap): Promise<Result>;
}

/**
 * Prepares, asks the target and the user, and pushes; the wrap is closed at the end. Throws DT_BASE_MISSING for a delta, DT_TAG_EXISTS,
 * and what the steps and the target throw.
 */
export async function runUnwrap<Prepared extends Omit<PreparedUnwrap, 'skipped'>, Result>(
  steps: UnwrapSteps<Prepared, Result>,
  options: RunUnwrapOptions,
  context: RunContext,
): Promise<Result> {
  return nameSide('destination', async () => {
    const { prepared, checked } = await context.reporter.section(`Unwrapping "${options.file}"`, async () => {
      const prepared = await steps.prepare();
      return { prepared, checked: await checkTarget(prepared, context) };
    });
    try {
      const targets = listTargets(checked);
      requireBase(checked.missing, prepared.wrap.document?.bases);
      if (options.noOverwrite === true) refuseOverwrites(targets);
      if (options.assumeYes) warnOfOverwrites(targets, context);
      else if (!(await confirmPush(checked, context))) return steps.decline(prepared);
      return await context.reporter.section('Pushing', async () => steps.push(prepared, checked));
    } finally {
      await prepared.wrap.close();
    }
  });
}
