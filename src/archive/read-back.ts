import { createHash } from 'node:crypto';
import { DtError } from '../domain/errors.ts';
import { digestOf, type Digest } from '../domain/oci/digest.ts';
import { hasBytes, readFinishedMember } from './finished-members.ts';
import type { PositionalReader } from './segmented-file.ts';
import type { WrapPlan } from './wrap-plan.ts';

/**
 * Reads a complete wrap once, compares all of it with the plan, and gives the sha256 of each part in hexadecimal. Throws DT_OUTPUT_FAILED if
 * what is read is not what was written.
 */
export async function readBack(
  file: PositionalReader,
  lengths: readonly number[],
  plan: WrapPlan,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const hasher = new PartHasher(file, lengths);
  for (const member of plan.members) {
    signal?.throwIfAborted();
    const isWritten =
      member.kind === 'small'
        ? await hasBytes(hasher, member.bytes, member.offset)
        : await readFinishedMember(hasher, member, digestOfContent(member.content));
    if (isWritten) continue;
    const what = member.kind === 'small' ? `what lies at byte ${String(member.offset)}` : member.path;
    throw new DtError('DT_OUTPUT_FAILED', `${what} was written, and something else is read: the disk is damaged`);
  }
  return hasher.finish();
}

function digestOfContent(content: Uint8Array | Digest): Digest {
  return typeof content === 'string' ? content : digestOf(content);
}

/** Hashes part by part what somebody else reads, all of it from front to back. */
class PartHasher implements PositionalReader {
  readonly #file: PositionalReader;
  readonly #lengths: readonly number[];
  readonly #sums: string[] = [];
  #hash = createHash('sha256');
  #hashedBytes = 0;
  #position = 0;

  constructor(file: PositionalReader, lengths: readonly number[]) {
    this.#file = file;
    this.#lengths = lengths;
  }

  async read(buffers: readonly Buffer[], position: number): Promise<number> {
    if (position !== this.#position) throw new TypeError('parts can only be hashed from front to back');
    let left = await this.#file.read(buffers, position);
    this.#position += left;
    const readBytes = left;
    for (const buffer of buffers) {
      this.#update(buffer.subarray(0, left));
      left = Math.max(left - buffer.length, 0);
    }
    return readBytes;
  }

  finish(): readonly string[] {
    if (this.#sums.length !== this.#lengths.length) throw new TypeError('not all parts were read');
    return this.#sums;
  }

  #update(bytes: Buffer): void {
    for (let at = 0; at < bytes.length;) {
      const length = this.#lengths[this.#sums.length] ?? 0;
      const part = bytes.subarray(at, at + length - this.#hashedBytes);
      this.#hash.update(part);
      this.#hashedBytes += part.length;
      at += part.length;
      if (this.#hashedBytes < length) continue;
      this.#sums.push(this.#hash.digest('hex'));
      this.#hash = createHash('sha256');
      this.#hashedBytes = 0;
    }
  }
}
