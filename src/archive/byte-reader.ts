/** Takes the bytes of a stream in pieces of the size that is wanted. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);
  #takenBytes = 0;

  constructor(source: AsyncIterable<Buffer>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** Bytes that were handed out. */
  get takenBytes(): number {
    return this.#takenBytes;
  }

  /** Some of the next bytes, at least one; none at the end of the stream. Throws what the stream ends with. */
  async take(maxBytes: number): Promise<Buffer> {
    while (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) return this.#rest;
      this.#rest = next.value;
    }
    const part = this.#rest.subarray(0, maxBytes);
    this.#rest = this.#rest.subarray(part.length);
    this.#takenBytes += part.length;
    return part;
  }

  /** The next bytes, fewer only at the end of the stream. */
  async read(sizeBytes: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let missingBytes = sizeBytes; missingBytes > 0;) {
      const part = await this.take(missingBytes);
      if (part.length === 0) break;
      parts.push(part);
      missingBytes -= part.length;
    }
    const [first, ...others] = parts;
    return first !== undefined && others.length === 0 ? first : Buffer.concat(parts);
  }
}
