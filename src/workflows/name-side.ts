import { Readable } from 'node:stream';
import { withSide } from '../domain/error-rules.ts';
import { isDtError, type Side } from '../domain/errors.ts';

/** Passes on what comes as a stream, with its side in what it fails with. */
export function nameStreamSide(side: Side, stream: Readable): Readable {
  const read = async function* (): AsyncIterable<Buffer> {
    try {
      yield* stream as AsyncIterable<Buffer>;
    } catch (error) {
      throw isDtError(error) ? withSide(error, side) : error;
    }
  };
  return Readable.from(read(), { objectMode: false });
}

/** Runs a copy that talks to registries on one side only, and puts that side into what they fail with. */
export async function nameSide<T>(side: Side, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw isDtError(error) ? withSide(error, side) : error;
  }
}
