import type { BlobFailure, ReadBlobJob } from './blob-jobs.ts';
import type { BlobThread } from './blob-thread.ts';

/**
 * Reads and verifies a blob through the thread, a part ahead of the caller. Throws what `toError` makes of a failure, at
 * the latest instead of the last part.
 */
export async function* readBlob(
  thread: BlobThread,
  job: Omit<ReadBlobJob, 'kind' | 'id'>,
  toError: (failure: BlobFailure) => unknown,
  signal?: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const id = thread.newId();
  void thread.call({ kind: 'open-read', id, ...job });
  let next = thread.call({ kind: 'read', id });
  try {
    for (;;) {
      signal?.throwIfAborted();
      const { bytes, failure } = await next;
      if (failure !== undefined) throw toError(failure);
      if (bytes === undefined) return;
      next = thread.call({ kind: 'read', id });
      yield Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    }
  } finally {
    // Afterwards the thread does not touch the file any more.
    await thread.call({ kind: 'abandon', id });
  }
}
