import { withSide } from '../domain/error-rules.ts';
import { isDtError, type Side } from '../domain/errors.ts';

/** Runs a copy that talks to registries on one side only, and puts that side into what they fail with. */
export async function nameSide<T>(side: Side, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw isDtError(error) ? withSide(error, side) : error;
  }
}
