import { WrapReader } from '../../archive/wrap-reader.ts';
import { readBlobBytes } from '../../content/read-blob-bytes.ts';
import type { Graph } from '../../content/read-graph.ts';
import { WrapStore } from '../../content/wrap-store.ts';
import { MAX_CHART_CONFIG_BYTES, MAX_PROVENANCE_BYTES, type ChartOrigin } from '../../domain/chart/chart-origin.ts';
import { buildChartTree, MAX_CHART_BYTES, type ChartEntry } from '../../domain/chart/chart-tree.ts';
import { DtError } from '../../domain/errors.ts';
import { LOCK_FILE_NAME, type LockImage } from '../../domain/lock/images-lock.ts';
import { parseImagesLock } from '../../domain/lock/parse-lock.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import { groupWrappedImages, keyOfImage } from '../../domain/wrap/check-wrap-lock.ts';
import type { WrapDocument, WrappedChart } from '../../domain/wrap/wrap-document.ts';
import type { RunContext } from '../context.ts';
import { chartFolder, findDocument, readFiles, requireConsistent, requireEntries, takeChart } from './indexed-files.ts';
import { missingLockError, type OpenedChart, type OpenedFolder, type OpenedWrap } from './opened-wrap.ts';
import { WrappedGraphs } from './wrapped-graphs.ts';

/** Opens a wrap by its footer; undefined for a file without one. See `openWrap`. */
export async function openIndexedWrap(path: string): Promise<OpenedWrap | undefined> {
  const reader = await WrapReader.open(path);
  if (reader === undefined) return undefined;
  try {
    const { files, small, paths } = await readFiles(reader);
    const { document, topFolder } = findDocument(files, path);
    requireEntries(document, paths, path);
    const names =
      document.kind === 'container' ? [topFolder] : document.charts.map((chart) => chartFolder(chart, path));
    requireConsistent(document, names, path);
    const store = new WrapStore(reader, document, small);
    const wrap = { path, files, document, store, graphs: new WrappedGraphs(store) };
    const folders = names.map((name, index) => openFolder(wrap, name, document.charts[index]));
    return { path, folders, store, document, close: async () => reader.close() };
  } catch (error) {
    await reader.close();
    throw error;
  }
}

interface IndexedWrap {
  readonly path: string;
  readonly files: readonly ChartEntry[];
  readonly document: WrapDocument;
  readonly store: WrapStore;
  readonly graphs: WrappedGraphs;
}

function openFolder(wrap: IndexedWrap, name: string, wrapped?: WrappedChart): OpenedFolder {
  const { path, document, graphs } = wrap;
  const chart = wrapped === undefined ? undefined : openChart(wrap, wrapped);
  const lockFile =
    chart === undefined
      ? wrap.files.find((file) => file.path === `${name}/${LOCK_FILE_NAME}`)
      : chart.tree.find((entry) => entry.path === LOCK_FILE_NAME);
  if (lockFile === undefined) throw missingLockError(path);
  const lock = parseImagesLock(Buffer.from(lockFile.bytes).toString('utf8'), LOCK_FILE_NAME);
  const images = document.images.filter(({ folder }) => folder === undefined || folder === name);
  const byKey = groupWrappedImages(images);
  return {
    name,
    ...(chart === undefined ? {} : { chart }),
    lock,
    hasContent: images.some(({ digest }) => digest !== undefined),
    readImage: async (image, context) => {
      const wrapped = byKey.get(keyOfImage(image));
      if (wrapped?.digest === undefined)
        throw new DtError('DT_WRAP_INCOMPLETE', `the content of ${image.image} is not in ${path}`);
      const isFiltered = wrapped.isFiltered === true;
      const graph = await graphs.read(wrapped.digest, isFiltered, context);
      requireLocked(graph, image, path);
      return { graph, isFiltered, attached: await graphs.readAttached(wrapped.attached ?? [], context) };
    },
  };
}

function openChart({ path, files, store, graphs }: IndexedWrap, wrapped: WrappedChart): OpenedChart {
  const readOptional = async (digest: Digest | undefined, limitBytes: number, context: RunContext) =>
    digest === undefined ? undefined : readOriginFile(store, digest, limitBytes, context);
  return {
    tree: buildChartTree(takeChart(files, wrapped.path, path)),
    readOrigin: async (context): Promise<ChartOrigin> => {
      const archive = await readOptional(wrapped.archive, MAX_CHART_BYTES, context);
      const provenance = await readOptional(wrapped.provenance, MAX_PROVENANCE_BYTES, context);
      const config = await readOptional(wrapped.config, MAX_CHART_CONFIG_BYTES, context);
      const manifest = wrapped.manifest === undefined ? undefined : await store.readManifest(wrapped.manifest);
      return {
        ...(archive === undefined ? {} : { archive }),
        ...(provenance === undefined ? {} : { provenance }),
        ...(config === undefined ? {} : { config }),
        ...(manifest === undefined ? {} : { manifest }),
      };
    },
    readAttached: async (context) => graphs.readAttached(wrapped.attached ?? [], context),
  };
}

async function readOriginFile(
  store: WrapStore,
  digest: Digest,
  limitBytes: number,
  { signal }: RunContext,
): Promise<Uint8Array> {
  const descriptor = await store.resolve(digest);
  if (descriptor.size > limitBytes) {
    throw new DtError('DT_LIMIT_EXCEEDED', `${digest} in ${store.name} is larger than a file of a chart may be`);
  }
  return readBlobBytes(store, descriptor, { signal });
}

/** The content must be what the lock says. */
function requireLocked(graph: Graph, image: LockImage, path: string): void {
  const manifests = new Set<Digest>([graph.root, ...graph.manifests].map(({ descriptor }) => descriptor.digest));
  const lost = image.digests.find(({ digest }) => !manifests.has(digest));
  if (lost !== undefined) {
    throw new DtError(
      'DT_LOCK_MISMATCH',
      `${image.image} for ${lost.arch} in ${path} is not ${lost.digest} as its lock says`,
    );
  }
}
