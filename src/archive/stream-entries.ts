import { DtError } from '../domain/errors.ts';
import { parseTableOfContents } from '../domain/wrap/table-of-contents.ts';
import { pathInTopFolder, WRAP_TOC_PATH } from '../domain/wrap/wrap-document.ts';
import {
  MAX_LAST_MEMBER_BYTES,
  MAX_SMALL_ENTRIES,
  MAX_SMALL_ENTRIES_BYTES,
  MAX_TOC_BYTES,
  requireWithinLimit,
} from '../domain/wrap/wrap-limits.ts';
import { storedMemberLength } from './gzip-member.ts';
import { TAR_END_BYTES, tarPaddingBytes, type TarHeader } from './tar-header.ts';
import { LARGE_ENTRY_BYTES } from './wrap-plan.ts';
import type { WrapStream } from './wrap-stream.ts';

/** Members of the table of contents have more text than this around their paths. */
const TOC_MARK_BYTES = 8;

/** The entries of a wrap that comes as a stream, each path once, within the limits of the format. */
export class StreamEntries {
  readonly stream: WrapStream;
  readonly #paths = new Set<string>();
  readonly #large: { readonly path: string; readonly length: number }[] = [];
  #smallEntries = 0;
  #smallBytes = 0;
  #lastBytes = 0;
  #tocBytes = 0;

  constructor(stream: WrapStream) {
    this.stream = stream;
  }

  /** True for the path of an entry that has come. */
  has(path: string): boolean {
    return this.#paths.has(path);
  }

  /** The next entry; undefined at the end of the archive. Throws as `WrapStream`. */
  async next(): Promise<TarHeader | undefined> {
    const header = await this.stream.next();
    if (header === undefined) return undefined;
    const { path } = header;
    if (this.#paths.has(path)) {
      throw new DtError('DT_UNSAFE_ENTRY', `${this.stream.name} has the entry ${path} twice`);
    }
    this.#paths.add(path);
    this.#count(header);
    return header;
  }

  /** Ends the stream: nothing may follow, and the table of contents must list what has come. Throws DT_WRAP_INVALID, DT_WRAP_TRUNCATED. */
  async finish(toc: Uint8Array): Promise<void> {
    const { name } = this.stream;
    if ((await this.stream.next()) !== undefined) {
      throw new DtError('DT_WRAP_INVALID', `${name} is not valid: an entry follows its table of contents`);
    }
    const { tocOffset, totalBytes, lastMemberBytes } = await this.stream.finish();
    // Members without content could stand between this one and the footer.
    if (lastMemberBytes !== this.#lastBytes + TAR_END_BYTES) {
      throw new DtError('DT_WRAP_INVALID', `${name} is not valid: something is hidden before its footer`);
    }
    const { members } = parseTableOfContents(toc, tocOffset);
    const listed = members.filter(({ path }) => path !== undefined);
    const isSame =
      listed.length === this.#large.length &&
      listed.every(({ path, length }, index) => {
        const large = this.#large[index];
        return path === large?.path && length === large?.length;
      });
    if (!isSame || tocOffset >= totalBytes) {
      throw new DtError('DT_WRAP_INVALID', `${name} is not valid: its table of contents lists other entries`);
    }
  }

  #count(header: TarHeader): void {
    const { headerBytes, sizeBytes, path, type } = header;
    const { name } = this.stream;
    const contentBytes = headerBytes + sizeBytes + tarPaddingBytes(sizeBytes);
    // Nothing else may follow the first of these.
    if (type === 'link' || pathInTopFolder(path) === WRAP_TOC_PATH) {
      this.#lastBytes += contentBytes;
      requireWithinLimit(this.#lastBytes, MAX_LAST_MEMBER_BYTES, name, 'bytes of links and table of contents');
    } else if (sizeBytes >= LARGE_ENTRY_BYTES) {
      this.#tocBytes += Buffer.byteLength(path) + TOC_MARK_BYTES;
      requireWithinLimit(this.#tocBytes, MAX_TOC_BYTES, name, 'bytes of table of contents');
      this.#large.push({ path, length: storedMemberLength(contentBytes) });
    } else {
      this.#smallEntries++;
      this.#smallBytes += contentBytes;
      requireWithinLimit(this.#smallEntries, MAX_SMALL_ENTRIES, name, 'small entries');
      requireWithinLimit(this.#smallBytes, MAX_SMALL_ENTRIES_BYTES, name, 'bytes of small entries');
    }
  }
}
