import { addAbortSignal, pipeline, type Readable } from 'node:stream';
import { createGunzip, type Gunzip } from 'node:zlib';
import { DtError, isDtError, systemErrorCode } from '../domain/errors.ts';
import { requireWithinLimit } from '../domain/wrap/wrap-limits.ts';
import { ByteReader } from './byte-reader.ts';
import { parseFooter } from './gzip-member.ts';
import { isZero } from './is-zero.ts';
import { StreamTap } from './stream-tap.ts';
import { TAR_BLOCK_BYTES, TAR_END_BYTES, tarPaddingBytes, type TarHeader } from './tar-header.ts';
import { checkWholeHeader } from './whole-member.ts';

const CHUNK_BYTES = 256 * 1024;
/** A tar header with its PAX record. */
const MAX_HEADER_BLOCKS = 16;

/** Where the table of contents of a stream that has ended starts, and where it ends. */
export interface StreamEnd {
  readonly tocOffset: number;
  /** What the member before the footer holds. */
  readonly lastMemberBytes: number;
  readonly totalBytes: number;
}

/**
 * The entries of a wrap that is one stream, in the one form that a wrap has, from front to back. Throws DT_WRAP_TRUNCATED,
 * DT_WRAP_INVALID, DT_UNSAFE_ENTRY, DT_LIMIT_EXCEEDED, and what the source ends with. Must be closed.
 */
export class WrapStream {
  readonly name: string;
  readonly #gunzip: Gunzip;
  readonly #tap: StreamTap;
  readonly #reader: ByteReader;
  #remainingBytes = 0;
  #paddingBytes = 0;

  /** `name` is what messages call the stream. */
  constructor(source: Readable, name: string, signal?: AbortSignal) {
    this.name = name;
    this.#gunzip = createGunzip({ chunkSize: CHUNK_BYTES });
    if (signal !== undefined) addAbortSignal(signal, this.#gunzip);
    this.#reader = new ByteReader(this.#gunzip as AsyncIterable<Buffer>);
    this.#tap = new StreamTap(name, () => this.#reader.takenBytes);
    pipeline(source, this.#tap, this.#gunzip, () => {
      // Who reads sees every error.
    });
  }

  /** The header of the next entry; undefined at the end of the archive. What is left of the entry before is skipped. */
  async next(): Promise<TarHeader | undefined> {
    while (this.#remainingBytes > 0) await this.#takeContent();
    await this.#skipPadding();
    let bytes = await this.#readExactly(TAR_BLOCK_BYTES);
    if (isZero(bytes)) return undefined;
    for (let blocks = 2; blocks <= MAX_HEADER_BLOCKS && isExtension(bytes); blocks++) {
      bytes = Buffer.concat([bytes, await this.#readExactly(TAR_BLOCK_BYTES)]);
      if (isCompleteExtension(bytes)) break;
    }
    const header = checkWholeHeader(bytes);
    this.#remainingBytes = header.sizeBytes;
    this.#paddingBytes = tarPaddingBytes(header.sizeBytes);
    return header;
  }

  /** The bytes of the present entry that were not taken yet. */
  async *content(): AsyncGenerator<Buffer, void, undefined> {
    while (this.#remainingBytes > 0) yield await this.#takeContent();
  }

  /** All of the present entry. Throws DT_LIMIT_EXCEEDED. */
  async readEntry(limitBytes: number, what: string): Promise<Buffer> {
    requireWithinLimit(this.#remainingBytes, limitBytes, this.name, what);
    const bytes = await this.#readExactly(this.#remainingBytes);
    this.#remainingBytes = 0;
    return bytes;
  }

  /** After `next` has told the end: the rest must be the second block of the end mark and the footer, and nothing behind it. */
  async finish(): Promise<StreamEnd> {
    this.#tap.expectEnd();
    const mark = await this.#readExactly(TAR_END_BYTES - TAR_BLOCK_BYTES);
    if (!isZero(mark) || (await this.#take(1)).length > 0) throw this.#invalid('bytes follow the end of its archive');
    const { totalBytes, footer, lastMemberBytes } = this.#tap;
    // What the decompression does not take is no gzip.
    if (this.#gunzip.bytesWritten !== totalBytes) throw this.#invalid('bytes follow its end');
    const tocOffset = parseFooter(footer);
    if (tocOffset === undefined) throw new DtError('DT_WRAP_TRUNCATED', `${this.name} is cut: it has no footer`);
    return { tocOffset, totalBytes, lastMemberBytes };
  }

  /** Ends the source too. */
  close(): void {
    this.#tap.destroy();
    this.#gunzip.destroy();
  }

  async #takeContent(): Promise<Buffer> {
    const part = await this.#take(this.#remainingBytes);
    if (part.length === 0) throw this.#truncated();
    this.#remainingBytes -= part.length;
    return part;
  }

  async #skipPadding(): Promise<void> {
    if (!isZero(await this.#readExactly(this.#paddingBytes))) throw this.#invalid('bytes are hidden behind an entry');
    this.#paddingBytes = 0;
  }

  async #readExactly(sizeBytes: number): Promise<Buffer> {
    const bytes = await this.#guard(this.#reader.read(sizeBytes));
    if (bytes.length !== sizeBytes) throw this.#truncated();
    return bytes;
  }

  /** Some of these bytes; none at the end of the stream. */
  async #take(maxBytes: number): Promise<Buffer> {
    return this.#guard(this.#reader.take(maxBytes));
  }

  async #guard(reading: Promise<Buffer>): Promise<Buffer> {
    try {
      return await reading;
    } catch (error) {
      throw this.#toError(error);
    }
  }

  #toError(error: unknown): unknown {
    if (isDtError(error)) return error;
    const code = systemErrorCode(error);
    if (code === 'Z_BUF_ERROR') return this.#truncated();
    // Other system errors come from the source.
    if (code?.startsWith('Z_') !== true) return error;
    return new DtError('DT_WRAP_INVALID', `${this.name} is damaged: it is not a gzip-compressed tar`, { cause: error });
  }

  #truncated(): DtError {
    return new DtError('DT_WRAP_TRUNCATED', `${this.name} is cut: it ends too early`);
  }

  #invalid(why: string): DtError {
    return new DtError('DT_WRAP_INVALID', `${this.name} is not valid: ${why}`);
  }
}

const TYPE_OFFSET = 156;
const PAX_TYPE = 'x'.charCodeAt(0);

/** True for a PAX record, which belongs to the header behind it. */
function isExtension(bytes: Buffer): boolean {
  return bytes[TYPE_OFFSET] === PAX_TYPE;
}

/** True once the record and the header behind it are there. */
function isCompleteExtension(bytes: Buffer): boolean {
  const sizeBytes = Number.parseInt(bytes.toString('latin1', 124, 135), 8);
  return bytes.length >= 2 * TAR_BLOCK_BYTES + sizeBytes + tarPaddingBytes(sizeBytes);
}
