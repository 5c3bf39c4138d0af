import type { AttachedGraph } from '../../content/image-content.ts';
import type { Graph } from '../../content/read-graph.ts';
import { ScannedStore, type ScannedBlob } from '../../content/scanned-store.ts';
import { buildChartTree } from '../../domain/chart/chart-tree.ts';
import { DtError } from '../../domain/errors.ts';
import { LOCK_FILE_NAME, type LockImage } from '../../domain/lock/images-lock.ts';
import { parseImagesLock } from '../../domain/lock/parse-lock.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import { parseManifest } from '../../domain/oci/manifest.ts';
import { wrapFolder } from '../../domain/wrap/wrap-document.ts';
import type { RunContext } from '../context.ts';
import { GoArtifacts } from './go-artifacts.ts';
import { missingLockError, type OpenedWrap } from './opened-wrap.ts';
import { rebuildImageGraph } from './rebuild-index.ts';
import { scanContent } from './scan-content.ts';

/**
 * Opens a wrap without table of contents: one of the Go tool. Goes through the whole file once, checks every blob against
 * its name, and keeps the chart, the manifests and the configs.
 */
export async function openScannedWrap(path: string, context: RunContext): Promise<OpenedWrap> {
  const scan = await scanContent(path, context.signal);
  const tree = buildChartTree([...scan.chart.values()]);
  const isChart = tree.length > 0;
  if (!isChart && scan.containerLock === undefined) {
    throw new DtError('DT_WRAP_INVALID', `${path} is not a wrap: it has no chart`);
  }
  const lockBytes = isChart ? tree.find((entry) => entry.path === LOCK_FILE_NAME)?.bytes : scan.containerLock;
  if (lockBytes === undefined) throw missingLockError(path);
  const lock = parseImagesLock(Buffer.from(lockBytes).toString('utf8'), LOCK_FILE_NAME);
  const store = new ScannedStore(path, scan.blobs);
  const artifacts = new GoArtifacts(store, scan.artifacts);
  // A lock can name an image thousands of times.
  const graphs = new Map<string, Promise<Graph>>();
  const readOnce = (image: LockImage, runContext: RunContext): Promise<Graph> => {
    const key = image.digests.map(({ digest }) => digest).join(' ');
    const graph =
      graphs.get(key) ??
      rebuildImageGraph(store, image, runContext).then((rebuilt) => {
        requireBlobs(rebuilt, image.image, scan.blobs, path);
        return rebuilt;
      });
    graphs.set(key, graph);
    return graph;
  };
  const readChecked = async (read: Promise<AttachedGraph[]>, image: string): Promise<AttachedGraph[]> => {
    const attached = await read;
    for (const { graph } of attached) requireBlobs(graph, image, scan.blobs, path);
    return attached;
  };
  const chart = {
    tree,
    readOrigin: () => Promise.resolve({}),
    readAttached: async (runContext: RunContext) =>
      readChecked(artifacts.readForChart(lock.chart.version, runContext), lock.chart.name),
  };
  const folder = {
    name: wrapFolder(lock.chart),
    ...(isChart ? { chart } : {}),
    lock,
    hasContent: lock.images.some(({ digests }) => digests.length > 0),
    readImage: async (image: LockImage, runContext: RunContext) => {
      const graph = await readOnce(image, runContext);
      const root = graph.root.descriptor.digest;
      const attached = await readChecked(artifacts.readForImage(image, root, runContext), image.image);
      warnOfForeignSignatures(attached, image, scan.blobs, runContext);
      return { graph, isFiltered: false, isRebuilt: graph.manifests.length > 0, attached };
    },
  };
  return { path, folders: [folder], store, close: () => Promise.resolve() };
}

/** The Go tool keeps no index, so the one that is pushed is not the one that was signed. */
function warnOfForeignSignatures(
  attached: readonly AttachedGraph[],
  { image }: LockImage,
  blobs: ReadonlyMap<Digest, ScannedBlob>,
  { reporter }: RunContext,
): void {
  for (const { artifact, graph } of attached) {
    const manifest = parseManifest(graph.root);
    const layers = manifest.kind === 'manifest' ? manifest.layers : [];
    const isForeign = layers.some(({ digest }) => {
      const signed = blobs.get(digest)?.bytes?.toString('utf8');
      return signed?.includes('"docker-manifest-digest"') === true && !signed.includes(artifact.subject);
    });
    if (isForeign)
      reporter.warn(`the signature of ${image} does not verify: the wrap does not have the index that it signs`);
  }
}

function requireBlobs(graph: Graph, image: string, blobs: ReadonlyMap<Digest, ScannedBlob>, path: string): void {
  for (const { digest, size } of graph.blobs) {
    const blob = blobs.get(digest);
    if (blob === undefined) throw new DtError('DT_WRAP_INCOMPLETE', `blob ${digest} of ${image} is not in ${path}`);
    if (blob.sizeBytes !== size) {
      throw new DtError(
        'DT_SIZE_MISMATCH',
        `blob ${digest} of ${image} in ${path} does not have the size that its manifest says`,
      );
    }
  }
}
