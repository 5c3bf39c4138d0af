import { DtError } from '../domain/errors.ts';
import type { SmallEntryPlace, WrapReader } from './wrap-reader.ts';

/** Unpacked members that are kept. Most wraps have no more than this of small entries. */
const MAX_CACHE_BYTES = 16 * 1024 * 1024;

/** Small entries of a wrap by path: what is asked for is unpacked again, so that memory does not grow with the wrap. */
export class SmallEntries {
  readonly #reader: WrapReader;
  readonly #places = new Map<string, SmallEntryPlace>();
  /** By the offset of the member, the one that was used last at the end. */
  readonly #cache = new Map<number, Promise<Buffer>>();

  constructor(reader: WrapReader) {
    this.#reader = reader;
  }

  add(path: string, place: SmallEntryPlace): void {
    this.#places.set(path, place);
  }

  /** Undefined if there is no such small entry. */
  sizeBytes(path: string): number | undefined {
    return this.#places.get(path)?.sizeBytes;
  }

  /** The bytes of an entry. Throws DT_WRAP_INCOMPLETE, and DT_WRAP_INVALID if the file has changed. */
  async read(path: string): Promise<Buffer> {
    const place = this.#places.get(path);
    if (place === undefined)
      throw new DtError('DT_WRAP_INCOMPLETE', `the entry ${path} is missing in ${this.#reader.path}`);
    return this.readAt(place);
  }

  /** The bytes at a place, a part of what a whole member holds. Throws DT_WRAP_INVALID if the file has changed. */
  async readAt(place: SmallEntryPlace): Promise<Buffer> {
    const content = await this.#readMember(place);
    return content.subarray(place.start, place.start + place.sizeBytes);
  }

  #readMember({ member }: SmallEntryPlace): Promise<Buffer> {
    const content = this.#cache.get(member.offset) ?? this.#reader.readSmallMember(member);
    this.#cache.delete(member.offset);
    this.#cache.set(member.offset, content);
    // A member has a mebibyte at most.
    for (const oldest of this.#cache.keys()) {
      if (this.#cache.size * 1024 * 1024 <= MAX_CACHE_BYTES) break;
      this.#cache.delete(oldest);
    }
    return content;
  }
}
