import { DtError } from '../errors.ts';
import type { Digest } from './digest.ts';

/** DT_SIZE_MISMATCH for a blob that came with `seen` bytes. */
export function sizeMismatchError(
  digest: Digest,
  expectedBytes: number,
  sourceName: string,
  seen: number | 'more',
): DtError {
  return new DtError(
    'DT_SIZE_MISMATCH',
    `blob ${digest} from ${sourceName} has ${String(seen)} bytes where ${String(expectedBytes)} were promised`,
  );
}

/** DT_DIGEST_MISMATCH for a blob of the right size with other bytes. */
export function digestMismatchError(digest: Digest, sourceName: string): DtError {
  return new DtError('DT_DIGEST_MISMATCH', `blob ${digest} from ${sourceName} does not have that digest`);
}
