import { SmallEntries } from '../../archive/small-entries.ts';
import type { WrapReader } from '../../archive/wrap-reader.ts';
import { CHART_MODE_BITS, MAX_CHART_BYTES, MAX_CHART_ENTRIES, type ChartEntry } from '../../domain/chart/chart-tree.ts';
import { DtError } from '../../domain/errors.ts';
import { parseWrapDocument } from '../../domain/wrap/parse-wrap-document.ts';
import {
  CHART_FOLDER,
  pathInTopFolder,
  topFolderOf,
  WRAP_DOCUMENT_PATH,
  type WrapDocument,
  type WrappedChart,
} from '../../domain/wrap/wrap-document.ts';

/** What is needed to know what a wrap holds; everything else is read when it is asked for. */
export const KEPT_PATTERN = /^[^/]+\/(?:chart\/|\.dt\/wrap\.json$|Images\.lock$)/;

/** What a wrap has, as far as it is read at once. */
export interface IndexedFiles {
  /** Its document, its locks and charts. */
  readonly files: readonly ChartEntry[];
  readonly small: SmallEntries;
  /** Of all entries but links. */
  readonly paths: ReadonlySet<string>;
}

/**
 * Goes through the small entries and keeps what tells what is in the wrap, `MAX_CHART_BYTES` of it at most. No path may come
 * twice: readers differ in which one counts. Throws DT_UNSAFE_ENTRY, DT_LIMIT_EXCEEDED.
 */
export async function readFiles(reader: WrapReader): Promise<IndexedFiles> {
  const files: ChartEntry[] = [];
  const paths = new Set(reader.largePaths());
  const small = new SmallEntries(reader);
  let remainingBytes = MAX_CHART_BYTES;
  const keep = (path: string, type: ChartEntry['type'], mode: number, bytes: Buffer): void => {
    remainingBytes -= bytes.length;
    if (remainingBytes < 0) throw new DtError('DT_LIMIT_EXCEEDED', `the charts in ${reader.path} are too large`);
    files.push({ path, type, mode: mode & CHART_MODE_BITS, bytes });
  };
  for await (const { path, type, mode, bytes, place } of reader.readSmallEntries()) {
    if (type !== 'file' && type !== 'directory') {
      throw new DtError('DT_UNSAFE_ENTRY', `the entry ${path} of ${reader.path} is neither file nor folder`);
    }
    if (paths.has(path)) throw new DtError('DT_UNSAFE_ENTRY', `${reader.path} has the entry ${path} twice`);
    paths.add(path);
    if (type === 'file') small.add(path, place);
    if (KEPT_PATTERN.test(path)) keep(path, type, mode, copyPiece(bytes));
  }
  for (const path of reader.largePaths()) {
    if (!KEPT_PATTERN.test(path)) continue;
    const { bytes, mode } = await reader.readLarge(path, remainingBytes);
    keep(path, 'file', mode, bytes);
  }
  return { files, small, paths };
}

/** A copy of bytes that are a small piece of what was read, all of which would stay in memory. */
export function copyPiece(bytes: Buffer): Buffer {
  return 2 * bytes.length > bytes.buffer.byteLength ? bytes : Buffer.from(bytes);
}

/** The files of a chart folder, by their paths in it. Throws DT_LIMIT_EXCEEDED. */
export function takeChart(files: readonly ChartEntry[], folder: string, wrapPath: string): ChartEntry[] {
  const entries = files
    .filter((file) => file.path.startsWith(`${folder}/`))
    .map((file) => ({ ...file, path: file.path.slice(folder.length + 1) }));
  if (entries.length > MAX_CHART_ENTRIES) {
    throw new DtError(
      'DT_LIMIT_EXCEEDED',
      `the chart in ${wrapPath} has more than ${String(MAX_CHART_ENTRIES)} files and folders`,
    );
  }
  return entries;
}

/** `.dt/wrap.json`, and the folder that it lies in. Throws as `parseWrapDocument`. */
export function findDocument(
  files: readonly ChartEntry[],
  path: string,
): { document: WrapDocument; topFolder: string } {
  const file = files.find((entry) => pathInTopFolder(entry.path) === WRAP_DOCUMENT_PATH);
  if (file === undefined) throw new DtError('DT_WRAP_INVALID', `${path} has no ${WRAP_DOCUMENT_PATH}`);
  return { document: parseWrapDocument(file.bytes), topFolder: topFolderOf(file.path) };
}

/** `NAME-VERSION` of `NAME-VERSION/chart`. Throws DT_WRAP_INVALID for any other path. */
export function chartFolder({ path }: WrappedChart, wrapPath: string): string {
  const folder = path.slice(0, -CHART_FOLDER.length - 1);
  if (path === `${folder}/${CHART_FOLDER}` && folder !== '' && !folder.includes('/')) return folder;
  throw new DtError('DT_WRAP_INVALID', `${wrapPath} says that a chart lies in ${path}`);
}

/** Throws DT_WRAP_INCOMPLETE if a listed blob has no entry. */
export function requireEntries(document: WrapDocument, paths: ReadonlySet<string>, wrapPath: string): void {
  for (const { path, digest } of document.blobs) {
    if (path !== undefined && !paths.has(path)) {
      throw new DtError('DT_WRAP_INCOMPLETE', `blob ${digest} is listed in ${wrapPath} but its entry is missing`);
    }
  }
}

/**
 * The document must not contradict itself: a folder holds one chart, an image belongs to a folder that there is, and only a wrap
 * of charts has charts. Throws DT_WRAP_INVALID.
 */
export function requireConsistent(
  { kind, charts, images }: WrapDocument,
  folders: readonly string[],
  wrapPath: string,
): void {
  const invalid = (why: string): DtError => new DtError('DT_WRAP_INVALID', `${wrapPath} is not valid: ${why}`);
  if (kind === 'container' && charts.length > 0) throw invalid('it is one of single images, and lists a chart');
  if (folders.length === 0) throw invalid('it holds no chart');
  const known = new Set(folders);
  if (known.size < folders.length) throw invalid('two charts lie in one folder');
  const stray = images.find(({ folder }) => folder !== undefined && !known.has(folder));
  if (stray !== undefined) throw invalid(`${stray.reference} belongs to ${stray.folder ?? ''}, which it does not have`);
}
