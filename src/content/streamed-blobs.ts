import { Readable } from 'node:stream';
import type { StreamEntries } from '../archive/stream-entries.ts';
import type { TarHeader } from '../archive/tar-header.ts';
import { DtError } from '../domain/errors.ts';
import { sizeMismatchError } from '../domain/oci/blob-errors.ts';
import type { Descriptor } from '../domain/oci/descriptor.ts';
import type { Digest } from '../domain/oci/digest.ts';
import { parseLayoutPath } from '../domain/wrap/wrap-path.ts';
import { WRAP_TOC_PATH, type WrapDocument, type WrappedBlob } from '../domain/wrap/wrap-document.ts';
import { MAX_TOC_BYTES } from '../domain/wrap/wrap-limits.ts';
import { drainStream } from './drain-stream.ts';
import { verifyBlob } from './verified-stream.ts';

/** A large blob of a wrap on its way. The stream fails before its end unless the bytes are the blob. */
export interface StreamedBlob {
  readonly descriptor: Descriptor;
  readonly stream: Readable;
}

export interface StreamedBlobsOptions {
  readonly entries: StreamEntries;
  readonly document: WrapDocument;
  /** The folder that `.dt/` lies in. */
  readonly topFolder: string;
  /** What has come before the first large blob; none of it may come again. */
  readonly held: ReadonlyMap<Digest, unknown>;
  /** The header of the entry with which the large blobs begin. */
  readonly first: TarHeader | undefined;
}

/** What comes behind the small entries of a wrap: its large blobs, then links, table of contents and footer. */
export class StreamedBlobs {
  readonly #options: StreamedBlobsOptions;
  readonly #expected: ReadonlyMap<Digest, WrappedBlob>;
  /** Large blobs that have come, by path. */
  readonly #seen = new Map<string, Digest>();
  readonly #missing: Map<Digest, WrappedBlob>;
  #first: TarHeader | undefined;
  #hasLinks = false;
  #isFinished = false;

  constructor(options: StreamedBlobsOptions) {
    this.#options = options;
    this.#first = options.first;
    const { document, held } = options;
    this.#expected = new Map(
      document.blobs
        .filter(({ digest, path }) => path !== undefined && !held.has(digest))
        .map((blob) => [blob.digest, blob]),
    );
    this.#missing = new Map(this.#expected);
  }

  /** True once everything to the footer was read and found right. */
  get isFinished(): boolean {
    return this.#isFinished;
  }

  /**
   * The next large blob, which must be read to its end. Undefined at the end of the wrap, all of which is sound then: every listed
   * blob has come once, and every link leads to one. Throws the codes of damaged wraps.
   */
  async next(): Promise<StreamedBlob | undefined> {
    const { entries, topFolder } = this.#options;
    while (!this.#isFinished) {
      const header = this.#first ?? (await entries.next());
      this.#first = undefined;
      if (header === undefined) throw this.#invalid('it has no table of contents');
      if (header.type === 'link') this.#takeLink(header);
      else if (header.path === `${topFolder}/${WRAP_TOC_PATH}`) await this.#finish();
      else {
        const blob = this.#open(header);
        if (header.path === this.#expected.get(blob.descriptor.digest)?.path) return blob;
        // A copy, for readers that know nothing of links.
        await drainStream(blob.stream);
      }
    }
    return undefined;
  }

  #open({ path, type, sizeBytes }: TarHeader): StreamedBlob {
    const { entries } = this.#options;
    const { name } = entries.stream;
    const digest = parseLayoutPath(path)?.digest;
    const blob = digest === undefined ? undefined : this.#expected.get(digest);
    if (type !== 'file' || this.#hasLinks || blob === undefined) {
      throw this.#invalid(`the entry ${path} is not expected between its large blobs`);
    }
    if (blob.size !== sizeBytes) throw sizeMismatchError(blob.digest, blob.size, name, sizeBytes);
    if (path === blob.path) this.#missing.delete(blob.digest);
    this.#seen.set(path, blob.digest);
    const content = Readable.from(entries.stream.content(), { objectMode: false });
    return { descriptor: blob, stream: verifyBlob(content, blob, name) };
  }

  #takeLink({ path, linkTarget }: TarHeader): void {
    this.#hasLinks = true;
    const digest = parseLayoutPath(path)?.digest;
    if (digest === undefined || this.#seen.get(linkTarget) !== digest) {
      throw this.#invalid(`the entry ${path} is a link, but not to a blob of that digest before it`);
    }
  }

  async #finish(): Promise<void> {
    const { entries } = this.#options;
    const toc = await entries.stream.readEntry(MAX_TOC_BYTES, 'bytes of table of contents');
    const [lost] = this.#missing.values();
    if (lost !== undefined) {
      throw new DtError(
        'DT_WRAP_INCOMPLETE',
        `blob ${lost.digest} is listed in ${entries.stream.name} but its entry is missing`,
      );
    }
    await entries.finish(toc);
    this.#isFinished = true;
  }

  #invalid(why: string): DtError {
    return new DtError('DT_WRAP_INVALID', `${this.#options.entries.stream.name} is not valid: ${why}`);
  }
}
