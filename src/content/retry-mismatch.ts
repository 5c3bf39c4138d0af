import { isDtError } from '../domain/errors.ts';
import type { ReadableStore } from './store.ts';

/** How often content is asked for that comes with wrong bytes: a broken proxy or cache may give the right ones then. */
const MAX_MISMATCH_TRIES = 2;

/**
 * Runs `read`, which takes content from `source` and verifies it, and runs it once more, past caches, when a remote source gave
 * bytes of another digest or size. Throws what the last try threw.
 */
export async function retryMismatch<T>(
  source: ReadableStore,
  read: (bypassesCaches: boolean) => Promise<T>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await read(tries > 1);
    } catch (error) {
      const isMismatch = isDtError(error, 'DT_DIGEST_MISMATCH', 'DT_SIZE_MISMATCH') && error.side !== 'destination';
      if (!isMismatch || source.isRemote !== true || tries === MAX_MISMATCH_TRIES) throw error;
    }
  }
}
