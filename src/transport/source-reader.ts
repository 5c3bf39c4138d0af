import { Readable } from 'node:stream';

/**
 * Reads the bytes of a blob as a whole or in pieces, in order, from one stream; a piece before the place that was reached opens
 * the stream again and skips to it. One piece at a time: opening the next ends the former one. The last piece does not
 * end before the stream does, so that its verdict on the bytes is heard.
 */
export class SourceReader {
  readonly #open: () => Promise<Readable>;
  readonly #sizeBytes: number;
  #stream: Readable | undefined;
  #piece: Readable | undefined;
  /** Present while the next piece can be taken from the open stream: the last one was read to its end. */
  #reading: Reading | undefined;

  constructor(open: () => Promise<Readable>, sizeBytes: number) {
    this.#open = open;
    this.#sizeBytes = sizeBytes;
  }

  /** All bytes, without anything between the stream and its reader. */
  async openWhole(): Promise<Readable> {
    this.close();
    return (this.#stream = await this.#open());
  }

  /** The bytes from `start` up to `end`. Fails as the source does. */
  async openPiece(start: number, end: number): Promise<Readable> {
    let reading = this.#reading;
    if (reading === undefined || start < reading.position) {
      const stream = await this.openWhole();
      reading = { chunks: stream.iterator({ destroyOnReturn: false }) as AsyncIterator<Buffer>, position: 0 };
    }
    this.#reading = undefined;
    this.#piece = Readable.from(this.#read(reading, start, end), { objectMode: false });
    return this.#piece;
  }

  close(): void {
    this.#piece?.destroy();
    this.#stream?.destroy();
    this.#reading = undefined;
  }

  async *#read(reading: Reading, start: number, end: number): AsyncGenerator<Buffer> {
    while (reading.position < end) {
      const chunk = reading.rest ?? (await next(reading));
      if (chunk === undefined) return;
      const from = reading.position;
      const taken = Math.min(chunk.length, end - from);
      reading.position += taken;
      reading.rest = taken === chunk.length ? undefined : chunk.subarray(taken);
      if (reading.position >= this.#sizeBytes) await next(reading);
      if (reading.position > start) yield chunk.subarray(Math.max(start - from, 0), taken);
    }
    this.#reading = reading;
  }
}

interface Reading {
  readonly chunks: AsyncIterator<Buffer>;
  /** Bytes taken from the stream. */
  position: number;
  /** What of the last chunk is not given out yet. */
  rest?: Buffer | undefined;
}

async function next({ chunks }: Reading): Promise<Buffer | undefined> {
  const result = await chunks.next();
  return result.done === true ? undefined : result.value;
}
