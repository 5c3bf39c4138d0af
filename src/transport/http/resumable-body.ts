import { Readable } from 'node:stream';
import { isDtError } from '../../domain/errors.ts';
import type { HttpStreamResponse } from './http-message.ts';
import { isTransientError, retryTransient, toFinalError, type RetryPolicy } from './retry.ts';

/** A server that breaks off more often than this for one blob does not want to give it. */
const MAX_RESUMES = 1000;

/** How a refused range is worded. */
const REFUSAL_CODES = ['DT_NOT_FOUND', 'DT_AUTH_DENIED', 'DT_REGISTRY_ERROR'] as const;

export interface ResumableBody {
  readonly sizeBytes: number;
  /**
   * Opens the bytes from an offset on. The answer is 206 with a `content-range`, 200 with all bytes, or 416 where there is
   * nothing at that offset.
   */
  readonly open: (fromByte: number) => Promise<HttpStreamResponse>;
  readonly retryPolicy: RetryPolicy;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a body that goes on with a Range request when its connection breaks or its answer is too short, as often as the
 * policy says without a byte in between. A server without ranges sends all again, and what came already is skipped. Bytes
 * are not verified here; a body that stays short ends short.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-blobs
 */
export async function openResumableBody(source: ResumableBody): Promise<Readable> {
  const reader = new ResumingReader(source, await source.open(0));
  const chunks = reader.read();
  const body = Readable.from(chunks, { objectMode: false });
  // Who iterates takes the chunks from the generator itself: the way through the buffers of a stream costs a tenth of a wrap.
  Object.defineProperty(body, Symbol.asyncIterator, { value: () => chunks });
  // A generator that was never started does not run its `finally`.
  return body.once('close', () => {
    reader.close();
  });
}

class ResumingReader {
  readonly #source: ResumableBody;
  #body: Readable;
  #doneBytes = 0;
  /** Bytes at the start of the present body that were there before. */
  #skipBytes = 0;
  #usesRanges = true;

  constructor(source: ResumableBody, first: HttpStreamResponse) {
    this.#source = source;
    this.#body = first.body;
  }

  close(): void {
    this.#body.destroy();
  }

  async *read(): AsyncGenerator<Buffer> {
    const { sizeBytes, retryPolicy, signal } = this.#source;
    for (let resumes = 0; ; resumes++) {
      let failure: unknown;
      try {
        for await (const chunk of this.#body as AsyncIterable<Buffer>) {
          const fresh = this.#skip(chunk);
          if (fresh.length === 0) continue;
          this.#doneBytes += fresh.length;
          yield fresh;
        }
      } catch (error) {
        failure = error;
      }
      const mayResume = retryPolicy.retries > 0 && resumes < MAX_RESUMES;
      if (failure === undefined && (this.#doneBytes >= sizeBytes || !mayResume)) return;
      if (failure !== undefined && !(mayResume && isTransientError(failure))) throw toFinalError(failure as Error);
      const next = await retryTransient(retryPolicy, signal, async () => this.#reopen());
      if (next === undefined) return;
      this.#doneBytes += next.length;
      let isTaken = false;
      try {
        yield next;
        isTaken = true;
      } finally {
        // A reader that stops here has no iterator of the body to end it.
        if (!isTaken) this.close();
      }
    }
  }

  /** Opens the rest and waits for its first new bytes. Undefined if there are none and none will come. */
  async #reopen(): Promise<Buffer | undefined> {
    this.close();
    const fromByte = this.#usesRanges ? this.#doneBytes : 0;
    const response = await this.#openFrom(fromByte);
    if (response === undefined) return this.#reopen();
    this.#body = response.body;
    if (response.status === 416) return undefined;
    if (response.status === 206 && rangeStart(response) !== fromByte) {
      this.#usesRanges = false;
      return this.#reopen();
    }
    this.#skipBytes = response.status === 206 ? 0 : this.#doneBytes;
    return this.#readFirst();
  }

  /** Undefined if a range was refused: something on the way may let only whole answers pass. */
  async #openFrom(fromByte: number): Promise<HttpStreamResponse | undefined> {
    try {
      return await this.#source.open(fromByte);
    } catch (error) {
      if (fromByte === 0 || isTransientError(error) || !isDtError(error, ...REFUSAL_CODES)) throw error;
      this.#usesRanges = false;
      return undefined;
    }
  }

  async #readFirst(): Promise<Buffer | undefined> {
    for await (const chunk of this.#body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      const fresh = this.#skip(chunk);
      if (fresh.length > 0) return fresh;
    }
    return undefined;
  }

  #skip(chunk: Buffer): Buffer {
    if (this.#skipBytes === 0) return chunk;
    const skipped = Math.min(this.#skipBytes, chunk.length);
    this.#skipBytes -= skipped;
    return chunk.subarray(skipped);
  }
}

/** https://www.rfc-editor.org/rfc/rfc9110#section-14.4 */
function rangeStart({ headers }: HttpStreamResponse): number | undefined {
  const start = /^bytes ([0-9]{1,16})-/.exec(headers['content-range'] ?? '')?.[1];
  return start === undefined ? undefined : Number(start);
}
