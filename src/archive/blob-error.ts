import { DtError } from '../domain/errors.ts';
import { digestMismatchError, sizeMismatchError } from '../domain/oci/blob-errors.ts';
import type { Digest } from '../domain/oci/digest.ts';
import type { BlobFailure } from './blob-jobs.ts';

/** What a failure of the thread is called here. System errors keep their code. */
export function toBlobError(failure: BlobFailure, digest: Digest, sizeBytes: number, sourceName: string): Error {
  if (failure.reason === 'digest') return digestMismatchError(digest, sourceName);
  if (failure.reason === 'size') {
    return sizeMismatchError(digest, sizeBytes, sourceName, failure.seenBytes > sizeBytes ? 'more' : failure.seenBytes);
  }
  if (failure.reason === 'wrap') return new DtError(failure.code, failure.message);
  const { message, code, syscall } = failure;
  return Object.assign(new Error(message), {
    ...(code === undefined ? {} : { code }),
    ...(syscall === undefined ? {} : { syscall }),
  });
}
