import type { StreamEntries } from '../../archive/stream-entries.ts';
import type { TarHeader } from '../../archive/tar-header.ts';
import { LARGE_ENTRY_BYTES } from '../../archive/wrap-plan.ts';
import { CHART_MODE_BITS, MAX_CHART_BYTES, type ChartEntry } from '../../domain/chart/chart-tree.ts';
import { DtError } from '../../domain/errors.ts';
import { digestMismatchError } from '../../domain/oci/blob-errors.ts';
import { digestOf, matchesDigest, type Digest } from '../../domain/oci/digest.ts';
import { isManifestMediaType } from '../../domain/oci/media-types.ts';
import { parseWrapDocument } from '../../domain/wrap/parse-wrap-document.ts';
import {
  CHART_ORIGIN_FOLDER,
  pathInTopFolder,
  topFolderOf,
  WRAP_DOCUMENT_PATH,
  WRAP_TOC_PATH,
  type WrapDocument,
  type WrappedBlob,
} from '../../domain/wrap/wrap-document.ts';
import {
  MAX_SMALL_ENTRIES_BYTES,
  MAX_WRAP_DOCUMENT_BYTES,
  MAX_WRAP_MANIFESTS_BYTES,
  requireWithinLimit,
} from '../../domain/wrap/wrap-limits.ts';
import { createPathFilter, parseLayoutPath } from '../../domain/wrap/wrap-path.ts';
import { copyPiece, KEPT_PATTERN } from './indexed-files.ts';

/** What is held in memory until it is pushed: no more than a wrap may have of small entries, large manifests and charts as they came. */
const MAX_HELD_BYTES = MAX_SMALL_ENTRIES_BYTES + MAX_WRAP_MANIFESTS_BYTES + MAX_CHART_BYTES;

/** What comes before the first large blob of a wrap: everything that is needed to plan. */
export interface StreamStart {
  /** Locks and charts. */
  readonly files: readonly ChartEntry[];
  readonly document: WrapDocument;
  readonly topFolder: string;
  /** Manifests and small blobs, verified. */
  readonly held: ReadonlyMap<Digest, Buffer>;
  /** The entry with which the large blobs begin, or what follows them. */
  readonly first: TarHeader | undefined;
}

/**
 * Reads the entries of a wrap up to its first large blob. Throws DT_WRAP_UNSUPPORTED for a wrap of another tool, which is known only
 * once all of it was read, DT_WRAP_INCOMPLETE if something listed has not come, and the codes of damaged wraps.
 */
export async function readStreamStart(entries: StreamEntries): Promise<StreamStart> {
  const { document, topFolder } = await readDocument(entries);
  const start = new StreamStartReader(entries, document, topFolder);
  for (;;) {
    const header = await entries.next();
    if (header !== undefined && (await start.take(header))) continue;
    start.requireComplete();
    return { files: start.files, document, topFolder, held: start.held, first: header };
  }
}

/** The document comes first in every wrap of ours. Throws as `parseWrapDocument`. */
export async function readDocument(
  entries: StreamEntries,
): Promise<{ readonly document: WrapDocument; readonly topFolder: string }> {
  const { stream } = entries;
  const first = await entries.next();
  if (first?.type !== 'file' || pathInTopFolder(first.path) !== WRAP_DOCUMENT_PATH) {
    throw new DtError('DT_WRAP_UNSUPPORTED', `${stream.name} is no wrap that can be read as it comes`, {
      detail: 'The wraps of other tools have to be gone through before anything can be pushed.',
      hints: ['save it to a file first, and give the name of the file'],
    });
  }
  const bytes = await stream.readEntry(MAX_WRAP_DOCUMENT_BYTES, `bytes of ${WRAP_DOCUMENT_PATH}`);
  return { document: parseWrapDocument(bytes), topFolder: topFolderOf(first.path) };
}

class StreamStartReader {
  readonly files: ChartEntry[] = [];
  readonly held = new Map<Digest, Buffer>();
  readonly #entries: StreamEntries;
  readonly #document: WrapDocument;
  readonly #byPath: ReadonlyMap<string, WrappedBlob>;
  readonly #listed: ReadonlySet<Digest>;
  readonly #isExpected: (path: string) => boolean;
  readonly #tocPath: string;
  #keptBytes = 0;
  #heldBytes = 0;

  constructor(entries: StreamEntries, document: WrapDocument, topFolder: string) {
    this.#entries = entries;
    this.#document = document;
    this.#byPath = new Map(document.blobs.flatMap((blob) => (blob.path === undefined ? [] : [[blob.path, blob]])));
    this.#listed = new Set(document.blobs.map(({ digest }) => digest));
    this.#isExpected = createPathFilter(document, topFolder);
    this.#tocPath = `${topFolder}/${WRAP_TOC_PATH}`;
  }

  /** Takes an entry; false for one that follows the small ones. */
  async take(header: TarHeader): Promise<boolean> {
    const { path, type } = header;
    if (type === 'link' || path === this.#tocPath || this.#isLargeBlob(header)) return false;
    if (!this.#isExpected(path)) throw this.#invalid(`it has the entry ${path}, of which it says nothing`);
    if (KEPT_PATTERN.test(path)) await this.#keep(header);
    else if (type === 'file') await this.#hold(header);
    return true;
  }

  /** Throws DT_WRAP_INCOMPLETE if something that is listed should have come. */
  requireComplete(): void {
    const lost = this.#document.blobs.find(
      (blob) => blob.path !== undefined && !isLarge(blob) && !this.#entries.has(blob.path),
    );
    if (lost === undefined) return;
    throw new DtError(
      'DT_WRAP_INCOMPLETE',
      `blob ${lost.digest} is listed in ${this.#entries.stream.name} but its entry is missing, or comes too late`,
    );
  }

  #isLargeBlob({ path, type, sizeBytes }: TarHeader): boolean {
    const digest = parseLayoutPath(path)?.digest;
    if (type !== 'file' || digest === undefined || sizeBytes < LARGE_ENTRY_BYTES) return false;
    const blob = this.#byPath.get(path);
    return blob !== undefined && isLarge(blob);
  }

  async #keep({ path, type, mode, sizeBytes }: TarHeader): Promise<void> {
    this.#keptBytes += sizeBytes;
    requireWithinLimit(this.#keptBytes, MAX_CHART_BYTES, this.#entries.stream.name, 'bytes of charts');
    const bytes = await this.#read();
    this.files.push({ path, type: type === 'directory' ? type : 'file', mode: mode & CHART_MODE_BITS, bytes });
  }

  /** Keeps content that is listed, each thing once; other files tell nothing that is not in the document. */
  async #hold({ path }: TarHeader): Promise<void> {
    const bytes = await this.#read();
    const named = parseLayoutPath(path)?.digest;
    const promised = this.#byPath.get(path)?.digest ?? named;
    if (named !== undefined && promised !== named) throw this.#invalid(`the entry ${path} is said to be another blob`);
    if (promised !== undefined && !matchesDigest(bytes, promised)) {
      throw digestMismatchError(promised, this.#entries.stream.name);
    }
    const digest = promised ?? (isOriginFile(path) ? digestOf(bytes) : undefined);
    if (digest === undefined || !this.#listed.has(digest) || this.held.has(digest)) return;
    this.#heldBytes += bytes.length;
    requireWithinLimit(this.#heldBytes, MAX_HELD_BYTES, this.#entries.stream.name, 'bytes of small blobs');
    this.held.set(digest, bytes);
  }

  async #read(): Promise<Buffer> {
    return copyPiece(await this.#entries.stream.readEntry(MAX_CHART_BYTES, 'bytes in one small entry'));
  }

  #invalid(why: string): DtError {
    return new DtError('DT_WRAP_INVALID', `${this.#entries.stream.name} is not valid: ${why}`);
  }
}

/** A blob that comes behind the small entries: no manifest, and nothing that the chart came as. */
function isLarge({ size, mediaType, path = '' }: WrappedBlob): boolean {
  return size >= LARGE_ENTRY_BYTES && !isManifestMediaType(mediaType) && !isOriginFile(path);
}

/** A file that a chart came as: it lies in no layout. */
function isOriginFile(path: string): boolean {
  return pathInTopFolder(path).startsWith(`${CHART_ORIGIN_FOLDER}/`) && parseLayoutPath(path) === undefined;
}
