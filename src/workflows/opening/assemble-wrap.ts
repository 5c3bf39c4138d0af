import { readBlobBytes } from '../../content/read-blob-bytes.ts';
import type { Graph } from '../../content/read-graph.ts';
import type { WrappedContent } from '../../content/wrapped-content.ts';
import { MAX_CHART_CONFIG_BYTES, MAX_PROVENANCE_BYTES, type ChartOrigin } from '../../domain/chart/chart-origin.ts';
import { buildChartTree, MAX_CHART_BYTES, type ChartEntry } from '../../domain/chart/chart-tree.ts';
import { DtError } from '../../domain/errors.ts';
import { LOCK_FILE_NAME, type LockImage } from '../../domain/lock/images-lock.ts';
import { parseImagesLock } from '../../domain/lock/parse-lock.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import { groupWrappedImages, keyOfImage } from '../../domain/wrap/check-wrap-lock.ts';
import type { WrapDocument, WrappedChart } from '../../domain/wrap/wrap-document.ts';
import type { RunContext } from '../context.ts';
import { chartFolder, requireConsistent, takeChart } from './indexed-files.ts';
import { missingLockError, type OpenedChart, type OpenedFolder, type OpenedWrap } from './opened-wrap.ts';
import { WrappedGraphs } from './wrapped-graphs.ts';

/** What was read of a wrap that says itself what it holds. */
export interface WrapContents {
  /** What messages call it. */
  readonly path: string;
  /** Its locks and charts. */
  readonly files: readonly ChartEntry[];
  readonly document: WrapDocument;
  /** Where `.dt/` lies. */
  readonly topFolder: string;
  readonly store: WrappedContent;
}

interface WrapParts extends WrapContents {
  readonly graphs: WrappedGraphs;
}

/** A wrap of one or several charts, or of single images, as its document says. Throws DT_WRAP_INVALID, DT_LOCK_INVALID, DT_LIMIT_EXCEEDED. */
export function assembleWrap(contents: WrapContents, close: () => Promise<void>): OpenedWrap {
  const { path, document, topFolder, store } = contents;
  const names = document.kind === 'container' ? [topFolder] : document.charts.map((chart) => chartFolder(chart, path));
  requireConsistent(document, names, path);
  const parts = { ...contents, graphs: new WrappedGraphs(store, contents.document) };
  const folders = names.map((name, index) => openFolder(parts, name, document.charts[index]));
  return { path, folders, store, document, close };
}

function openFolder(wrap: WrapParts, name: string, wrapped?: WrappedChart): OpenedFolder {
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

function openChart({ path, files, store, graphs }: WrapParts, wrapped: WrappedChart): OpenedChart {
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
  store: WrappedContent,
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
export function requireLocked(graph: Graph, image: LockImage, path: string): void {
  const manifests = new Set<Digest>([graph.root, ...graph.manifests].map(({ descriptor }) => descriptor.digest));
  const lost = image.digests.find(({ digest }) => !manifests.has(digest));
  if (lost !== undefined) {
    throw new DtError(
      'DT_LOCK_MISMATCH',
      `${image.image} for ${lost.arch} in ${path} is not ${lost.digest} as its lock says`,
    );
  }
}
