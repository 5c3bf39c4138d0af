import type { Writable } from 'node:stream';
import { DtError, systemErrorCode } from '../domain/errors.ts';
import { frameStoredBlocks, GZIP_HEADER, gzipTrailer } from './gzip-member.ts';
import { toOutputError } from './output-path.ts';
import { ContentCrc } from './stored-member-writer.ts';
import { tarPaddingBytes } from './tar-header.ts';
import type { LargeMember } from './wrap-plan.ts';

/** Writes the members of a planned wrap to a stream, one after the other. */
export class WrapStreamWriter {
  readonly #output: Writable;
  readonly #name: string;

  /** `name` is what messages call the stream. */
  constructor(output: Writable, name: string) {
    this.#output = output;
    this.#name = name;
  }

  /** Waits until the stream has taken the bytes. Throws DT_OUTPUT_FAILED or DT_DISK_FULL. */
  async write(...parts: readonly Uint8Array[]): Promise<void> {
    const output = this.#output;
    output.cork();
    const writes = parts.map(
      async (part) =>
        new Promise<void>((resolve, reject) => {
          output.write(part, (error) => {
            if (error === null || error === undefined) resolve();
            else reject(error);
          });
        }),
    );
    output.uncork();
    try {
      await Promise.all(writes);
    } catch (error) {
      if (systemErrorCode(error) !== 'EPIPE') throw toOutputError(error, this.#name);
      const why = 'the program that reads it ended before it had the whole wrap';
      throw new DtError('DT_OUTPUT_FAILED', `cannot write ${this.#name}: ${why}`, {
        hints: ['what the program behind the pipe says tells why it ended'],
        cause: error,
      });
    }
  }

  /** Frames a large entry while its bytes come. They must be as many as the plan says: they are not counted here. */
  async writeMember(member: LargeMember, bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    const paddingBytes = tarPaddingBytes(member.sizeBytes);
    const contentBytes = member.tarHeader.length + member.sizeBytes + paddingBytes;
    const crc = new ContentCrc({ ...member, paddingBytes });
    let at = 0;
    const frame = (part: Uint8Array): Uint8Array[] => {
      const framed = frameStoredBlocks(part, at, contentBytes);
      at += part.length;
      return framed;
    };
    await this.write(GZIP_HEADER, ...frame(member.tarHeader));
    for await (const part of bytes) {
      crc.update(part);
      await this.write(...frame(part));
    }
    await this.write(...frame(Buffer.alloc(paddingBytes)), gzipTrailer(crc.finish(), contentBytes));
  }
}
