import type { BlobFailure, BlobRequest, OpenBlobJob } from './blob-jobs.ts';
import type { BlobThread } from './blob-thread.ts';
import { ContentCrc } from './stored-member-writer.ts';

/**
 * Sends a stream through the thread that verifies and writes it. Resolves when nothing touches the file any more, with
 * what went wrong in the thread, if anything. Throws the error of the stream. `onBytes` hears the size of every chunk.
 * The checksums are calculated here: the thread has the hash and the writing to do and is the busier one.
 */
export async function transferBlob(
  thread: BlobThread,
  job: Omit<OpenBlobJob, 'kind' | 'id'>,
  stream: AsyncIterable<Buffer>,
  onBytes?: (sizeBytes: number) => void,
): Promise<BlobFailure | undefined> {
  const id = thread.newId();
  let failure: BlobFailure | undefined;
  let isDone = false;
  const call = async (request: BlobRequest): Promise<void> => {
    const reply = await thread.call(request);
    failure ??= reply.failure;
  };
  const crcs = job.places.map((place) => new ContentCrc(place));
  let slab: Buffer | undefined;
  let filledBytes = 0;
  const flush = (): void => {
    if (slab === undefined) return;
    const full = slab;
    slab = undefined;
    void call({ kind: 'write', id, slab: full.buffer as SharedArrayBuffer, sizeBytes: filledBytes }).then(() => {
      thread.giveSlab(full);
    });
    filledBytes = 0;
  };
  try {
    void call({ kind: 'open', id, ...job });
    for await (const chunk of stream) {
      for (const crc of crcs) crc.update(chunk);
      for (let at = 0; at < chunk.length;) {
        slab ??= await thread.takeSlab();
        const copiedBytes = chunk.copy(slab, filledBytes, at);
        at += copiedBytes;
        filledBytes += copiedBytes;
        if (filledBytes === slab.length) flush();
      }
      onBytes?.(chunk.length);
      if (failure !== undefined) return failure;
    }
    flush();
    await call({ kind: 'finish', id, crcs: crcs.map((crc) => crc.finish()) });
    isDone = true;
    return failure;
  } finally {
    if (slab !== undefined) thread.giveSlab(slab);
    // Requests are answered in order, so after this one the thread has written everything that it was given.
    if (!isDone) await thread.call({ kind: 'abandon', id });
  }
}
