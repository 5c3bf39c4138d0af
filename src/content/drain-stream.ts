import type { Readable } from 'node:stream';

/** Reads a stream to its end, so that what follows it can come. Throws what it ends with. */
export async function drainStream(stream: Readable): Promise<void> {
  if (stream.errored !== null) throw stream.errored;
  if (stream.readableEnded || stream.destroyed) return;
  for await (const _chunk of stream.iterator({ destroyOnReturn: false })) {
    // Skipped.
  }
}
