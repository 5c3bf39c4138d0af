import { MissingManifestError } from '../../content/checked-content.ts';
import { isDtError } from '../../domain/errors.ts';
import type { DamagePlace } from '../../domain/wrap/wrap-damage.ts';
import type { GraphCheck } from './check-graph.ts';

/** Runs a part of the check; what it throws on purpose is a damage of this place, and undefined comes back. */
export async function tryCheck<Result>(
  run: () => Promise<Result>,
  place: DamagePlace,
  { damages, signal }: Pick<GraphCheck, 'damages' | 'signal'>,
): Promise<Result | undefined> {
  try {
    return await run();
  } catch (error) {
    if (signal.aborted || !isDtError(error)) throw error;
    if (error instanceof MissingManifestError && place.image !== undefined) {
      damages.addMissing(error.digest, 'the manifest is not in the wrap', place.image);
    } else damages.addError(error, place);
    return undefined;
  }
}
