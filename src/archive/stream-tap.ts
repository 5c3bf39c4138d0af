import { Transform, type TransformCallback } from 'node:stream';
import { DtError } from '../domain/errors.ts';
import { FOOTER_BYTES } from './gzip-member.ts';

/** What is on its way through buffers, and what small gzip members take beside their content. */
const MAX_AHEAD_BYTES = 16 * 1024 * 1024;
/** How much of a member its content can be ahead of. */
const MAX_REST_BYTES = 64 * 1024;
/** Stored blocks add less than this part to their content; what is compressed is shorter. */
const MAX_GROWTH = 1 / 64;

/** The length of the content at the end of each gzip member. */
const LENGTH_BYTES = 4;
const TAIL_BYTES = LENGTH_BYTES + FOOTER_BYTES;

/** Stands before the decompression of a wrap: counts, and keeps the last bytes, which must be the footer. */
export class StreamTap extends Transform {
  totalBytes = 0;
  #maxBytes = Number.POSITIVE_INFINITY;
  #tail: Buffer = Buffer.alloc(0);
  readonly #name: string;
  readonly #countTaken: () => number;

  /** `countTaken` tells how much content was taken so far: gzip members without any, one after the other, have no end. */
  constructor(name: string, countTaken: () => number) {
    super();
    this.#name = name;
    this.#countTaken = countTaken;
  }

  /** The last bytes that came, as many as a footer has. */
  get footer(): Buffer {
    return this.#tail.subarray(-FOOTER_BYTES);
  }

  /** How much content the member before the footer has, as its end says. */
  get lastMemberBytes(): number {
    return this.#tail.length < TAIL_BYTES ? 0 : this.#tail.readUInt32LE(0);
  }

  /** Nothing but the footer is left, and the end of the member before it. */
  expectEnd(): void {
    this.#maxBytes = this.totalBytes + FOOTER_BYTES + MAX_REST_BYTES;
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    this.totalBytes += chunk.length;
    this.#tail = Buffer.from(Buffer.concat([this.#tail, chunk.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES));
    if (this.totalBytes > this.#maxBytes) {
      done(new DtError('DT_WRAP_INVALID', `${this.#name} is not valid: bytes follow its end`));
    } else if (this.totalBytes - MAX_AHEAD_BYTES > this.#countTaken() * (1 + MAX_GROWTH)) {
      done(new DtError('DT_LIMIT_EXCEEDED', `${this.#name} is refused: it has many bytes without any content`));
    } else done(null, chunk);
  }
}
