import { Readable, Transform } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import type { Header } from 'tar-stream';
import { DtError, isDtError, systemErrorCode, type ErrorCode } from '../domain/errors.ts';
import { checkEntryPath } from './entry-path.ts';
import { createTarExtractor, readTarEntry, TAR_END_BYTES, tarPaddingBytes, type TarEntry } from './tar-header.ts';

/** What an archive may hold at most. */
export interface TarLimits {
  readonly maxEntries: number;
  /** Sum of the sizes of all files, unpacked. */
  readonly maxTotalBytes: number;
}

export interface ReadTarOptions {
  /** What messages call the archive. */
  readonly name: string;
  readonly limits: TarLimits;
  /** Hand hard links to `onEntry`; their target is checked like a path. Otherwise a link is refused. */
  readonly allowHardLinks?: boolean;
  /** Pass over links, devices and unknown kinds instead of refusing them. */
  readonly skipsLinks?: boolean;
  /** Refuse an archive without its end mark: one that was cut between two entries looks complete otherwise. */
  readonly requireEndMark?: boolean;
  /** The code for an archive that ends too early. */
  readonly truncatedCode: ErrorCode;
  /** The code for bytes that are no tar. */
  readonly invalidCode: ErrorCode;
}

/**
 * Takes one entry. `entry.path` is normal and safe, and empty for the root of the archive. The content need not be read:
 * what is left of it is skipped. To destroy it ends the whole archive.
 */
export type TarEntryHandler = (entry: TarEntry, content: Readable) => Promise<void> | void;

/** Room for headers, PAX records and padding of one entry. */
const MAX_OVERHEAD_BYTES = 4096;
/** GNU tar fills the end of an archive up to a record, whose size can be chosen. */
const MAX_END_PADDING_BYTES = 1024 * 1024;

/**
 * Goes through an untrusted tar stream (already gunzipped), one entry after the other; the next entry waits for the
 * handler. Throws DT_UNSAFE_ENTRY for dangerous paths, symbolic links, devices and unknown kinds, DT_LIMIT_EXCEEDED,
 * the two codes of the options, and whatever the handler or the source throws.
 */
export async function readTarEntries(
  source: Readable,
  options: ReadTarOptions,
  onEntry: TarEntryHandler,
): Promise<void> {
  const extractor = createTarExtractor();
  const counter = new ByteCounter(options);
  const guard = new EntryGuard(options);
  let handlerError: { readonly error: unknown } | undefined;
  let endOfLastEntry = 0;

  const handleEntry = async (header: Header, source: AsyncIterable<Buffer>): Promise<void> => {
    const read = readTarEntry(header);
    endOfLastEntry = contentOffset(header) + read.sizeBytes + tarPaddingBytes(read.sizeBytes);
    const entry = guard.check(read);
    if (entry === undefined) {
      await finished(Readable.from(source, { objectMode: false }).resume());
      return;
    }
    // The library never ends the content of a folder whose header has a size.
    if (entry.type !== 'file') {
      await onEntry(entry, Readable.from([], { objectMode: false }));
      return;
    }
    const content = Readable.from(source, { objectMode: false });
    await onEntry(entry, content);
    await finished(content.resume());
  };
  extractor.on('entry', (header, source, next) => {
    // It fails together with the extractor, whose error is the one that is thrown.
    source.on('error', () => undefined);
    // The stream is iterable, which its types do not say.
    handleEntry(header, source as unknown as AsyncIterable<Buffer>).then(
      () => {
        next();
      },
      (error: unknown) => {
        handlerError = { error };
        next(error instanceof Error ? error : new Error(String(error)));
      },
    );
  });

  try {
    await pipeline(source, counter, extractor);
  } catch (error) {
    if (handlerError !== undefined) throw handlerError.error;
    throw toTarError(error, options);
  }
  if (options.requireEndMark === true && counter.totalBytes - endOfLastEntry < TAR_END_BYTES) {
    throw new DtError(options.truncatedCode, `${options.name} is cut: it has no end mark`);
  }
}

/** Checks one entry after the other and keeps the sums. */
class EntryGuard {
  readonly #options: ReadTarOptions;
  #entries = 0;
  #totalBytes = 0;

  constructor(options: ReadTarOptions) {
    this.#options = options;
  }

  /** Undefined for what is passed over. */
  check(entry: TarEntry): TarEntry | undefined {
    const { limits, name, allowHardLinks, skipsLinks } = this.#options;
    this.#entries += 1;
    this.#totalBytes += entry.sizeBytes;
    if (this.#entries > limits.maxEntries) throw exceedLimit(name, `${String(limits.maxEntries)} entries`);
    if (this.#totalBytes > limits.maxTotalBytes) throw exceedLimit(name, `${String(limits.maxTotalBytes)} bytes`);
    if (skipsLinks === true && entry.type !== 'file' && entry.type !== 'directory') return undefined;
    const path = checkEntryPath(entry.path);
    if (path === '' && entry.type !== 'directory') throw this.#refuse(entry, 'it has no name');
    if (entry.type === 'symlink') throw this.#refuse(entry, 'it is a symbolic link');
    if (entry.type === 'other') throw this.#refuse(entry, 'it is neither a file nor a folder');
    if (entry.type !== 'link') return { ...entry, path };
    if (allowHardLinks !== true) throw this.#refuse(entry, 'it is a link');
    if (entry.sizeBytes !== 0) throw this.#refuse(entry, 'it is a link with content');
    return { ...entry, path, linkTarget: checkEntryPath(entry.linkTarget) };
  }

  #refuse(entry: TarEntry, why: string): DtError {
    const path = JSON.stringify(entry.path.slice(0, 200));
    return new DtError('DT_UNSAFE_ENTRY', `the entry ${path} of ${this.#options.name} is refused: ${why}`);
  }
}

/** Counts what passes, so that endless padding or headers do not keep us busy for ever. */
class ByteCounter extends Transform {
  totalBytes = 0;
  readonly #name: string;
  readonly #maxBytes: number;

  constructor({ name, limits }: ReadTarOptions) {
    super();
    this.#name = name;
    this.#maxBytes = limits.maxTotalBytes + limits.maxEntries * MAX_OVERHEAD_BYTES + MAX_END_PADDING_BYTES;
  }

  override _transform(chunk: Buffer, _encoding: string, done: (error: Error | null, chunk?: Buffer) => void): void {
    this.totalBytes += chunk.length;
    if (this.totalBytes > this.#maxBytes) done(exceedLimit(this.#name, `${String(this.#maxBytes)} bytes`));
    else done(null, chunk);
  }
}

/** Where the content of an entry starts in the stream: the library says it, its types do not. */
function contentOffset(header: Header): number {
  return 'byteOffset' in header && typeof header.byteOffset === 'number' ? header.byteOffset : 0;
}

function exceedLimit(name: string, limit: string): DtError {
  return new DtError('DT_LIMIT_EXCEEDED', `${name} is refused: it has more than ${limit}`);
}

function toTarError(error: unknown, { name, truncatedCode, invalidCode }: ReadTarOptions): unknown {
  if (isDtError(error)) return error;
  const code = systemErrorCode(error);
  const isCut = code === 'Z_BUF_ERROR' || (error instanceof Error && error.message === 'Unexpected end of data');
  if (isCut) return new DtError(truncatedCode, `${name} is cut: it ends too early`, { cause: error });
  // Other system errors come from the source.
  if (code !== undefined && !code.startsWith('Z_')) return error;
  return new DtError(invalidCode, `${name} is damaged: it is not a gzip-compressed tar`, { cause: error });
}
