import { WrapReader } from '../archive/wrap-reader.ts';
import { readGraph, type Graph } from '../content/read-graph.ts';
import { WrapStore } from '../content/wrap-store.ts';
import {
  buildChartTree,
  CHART_MODE_BITS,
  MAX_CHART_BYTES,
  MAX_CHART_ENTRIES,
  type ChartEntry,
} from '../domain/chart/chart-tree.ts';
import { DtError } from '../domain/errors.ts';
import { LOCK_FILE_NAME, type LockImage } from '../domain/lock/images-lock.ts';
import { parseImagesLock } from '../domain/lock/parse-lock.ts';
import type { Digest } from '../domain/oci/digest.ts';
import {
  parseWrapDocument,
  pathInTopFolder,
  WRAP_DOCUMENT_PATH,
  type WrapDocument,
} from '../domain/wrap/wrap-document.ts';
import { missingLockError, type OpenedWrap } from './opened-wrap.ts';

/** Opens a wrap by its footer; undefined for a file without one. See `openWrap`. */
export async function openIndexedWrap(path: string): Promise<OpenedWrap | undefined> {
  const reader = await WrapReader.open(path);
  if (reader === undefined) return undefined;
  try {
    const files = await readFiles(reader);
    const document = findDocument(files, path);
    const [chart] = document.charts;
    if (chart === undefined) throw new DtError('DT_WRAP_INVALID', `${path} holds no chart`);
    const chartTree = buildChartTree(takeChart(files, chart.path, path));
    const lockFile = chartTree.find((entry) => entry.path === LOCK_FILE_NAME);
    if (lockFile === undefined) throw missingLockError(path);
    const lock = parseImagesLock(Buffer.from(lockFile.bytes).toString('utf8'), LOCK_FILE_NAME);
    requireEntries(document, new Set([...files.map((file) => file.path), ...reader.largePaths()]), path);
    const store = new WrapStore(reader, document, new Map(files.map((file) => [file.path, file.bytes])));
    return {
      path,
      chartTree,
      lock,
      store,
      isFiltered: (image) => findImage(document, image)?.isFiltered === true,
      readGraph: async (image, context) => {
        const digest = findImage(document, image)?.digest;
        if (digest === undefined)
          throw new DtError('DT_WRAP_INCOMPLETE', `the content of ${image.image} is not in ${path}`);
        const root = await store.readManifest(digest);
        const graph = await readGraph(store, root, {
          concurrency: context.concurrency,
          signal: context.signal,
          selectChild: (child) => findImage(document, image)?.isFiltered !== true || store.has(child.digest),
        });
        await requireContent(graph, image, store, path);
        return graph;
      },
      close: async () => reader.close(),
    };
  } catch (error) {
    await reader.close();
    throw error;
  }
}

/** The small entries, and the large files of the chart folders. No path may come twice: readers differ in which one counts. */
async function readFiles(reader: WrapReader): Promise<ChartEntry[]> {
  const files: ChartEntry[] = [];
  const paths = new Set(reader.largePaths());
  let remainingBytes = MAX_CHART_BYTES;
  for await (const { path, type, mode, bytes } of reader.readSmallEntries()) {
    if (type !== 'file' && type !== 'directory') {
      throw new DtError('DT_UNSAFE_ENTRY', `the entry ${path} of ${reader.path} is neither file nor folder`);
    }
    if (paths.has(path)) throw new DtError('DT_UNSAFE_ENTRY', `${reader.path} has the entry ${path} twice`);
    paths.add(path);
    files.push({ path, type, mode: mode & CHART_MODE_BITS, bytes });
  }
  for (const path of reader.largePaths()) {
    if (!/^[^/]+\/(?:chart|\.dt)\//.test(path)) continue;
    const { bytes, mode } = await reader.readLarge(path, remainingBytes);
    remainingBytes -= bytes.length;
    files.push({ path, type: 'file', mode: mode & CHART_MODE_BITS, bytes });
  }
  return files;
}

function takeChart(files: readonly ChartEntry[], folder: string, wrapPath: string): ChartEntry[] {
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

function findDocument(files: readonly ChartEntry[], path: string): WrapDocument {
  const file = files.find((entry) => pathInTopFolder(entry.path) === WRAP_DOCUMENT_PATH);
  if (file === undefined) throw new DtError('DT_WRAP_INVALID', `${path} has no ${WRAP_DOCUMENT_PATH}`);
  return parseWrapDocument(file.bytes);
}

function findImage(document: WrapDocument, image: LockImage): WrapDocument['images'][number] | undefined {
  return document.images.find(
    (candidate) =>
      candidate.reference === image.image && candidate.name === image.name && candidate.chart === image.chart,
  );
}

function requireEntries(document: WrapDocument, paths: ReadonlySet<string>, wrapPath: string): void {
  for (const { path, digest } of document.blobs) {
    if (path !== undefined && !paths.has(path)) {
      throw new DtError('DT_WRAP_INCOMPLETE', `blob ${digest} is listed in ${wrapPath} but its entry is missing`);
    }
  }
}

/** The content must be all there, and must be what the lock says. */
async function requireContent(graph: Graph, image: LockImage, store: WrapStore, path: string): Promise<void> {
  for (const blob of graph.blobs) await store.requireBlob(blob);
  const manifests = new Set<Digest>([graph.root, ...graph.manifests].map(({ descriptor }) => descriptor.digest));
  const lost = image.digests.find(({ digest }) => !manifests.has(digest));
  if (lost !== undefined) {
    throw new DtError(
      'DT_LOCK_MISMATCH',
      `${image.image} for ${lost.arch} in ${path} is not ${lost.digest} as its lock says`,
    );
  }
}
