import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { measureLayer, openLayer, type LayerFile } from '../../archive/bundle-layer.ts';
import { loadChart } from '../../archive/load-chart.ts';
import { MemoryStore } from '../../content/memory-store.ts';
import { buildBundleImage, bundleLabels } from '../../domain/carvel/bundle-image.ts';
import { buildChartBundle, CHART_BUNDLE_PATHS } from '../../domain/carvel/chart-bundle.ts';
import { CARVEL_LOCK_PATH } from '../../domain/carvel/carvel-lock.ts';
import { parseImagesLock } from '../../domain/carvel/parse-carvel-lock.ts';
import { formatPinnedReference } from '../../domain/carvel/pinned-reference.ts';
import { chartTag } from '../../domain/chart/chart-manifest.ts';
import { buildChartTree, findChartFile, type ChartTree } from '../../domain/chart/chart-tree.ts';
import { DtError } from '../../domain/errors.ts';
import { parseReference } from '../../domain/oci/reference.ts';
import type { RunContext } from '../context.ts';
import type { OpenedChart, OpenedFolder, OpenedWrap } from '../opening/opened-wrap.ts';
import { planImagePushes, type ImagePush } from '../unwrapping/plan-image-pushes.ts';
import type { CarriedImage } from './carried-image.ts';
import { dropRepeated } from './gather-bundle.ts';

/** Where a bundle comes from that was in no registry: a name that no machine has. https://www.rfc-editor.org/rfc/rfc2606 */
const NO_REGISTRY = 'wrap.invalid';
const FOLDER_MODE = 0o755;

/**
 * The chart of a wrap as a bundle that names its images, and these images with what is attached to them. Throws DT_USAGE for a wrap without a
 * chart or with several, DT_WRAP_INCOMPLETE for one without images, and the codes of damaged wraps.
 */
export async function carryWrap(wrap: OpenedWrap, context: RunContext): Promise<readonly CarriedImage[]> {
  const [folder, ...others] = wrap.folders;
  if (folder?.chart === undefined || others.length > 0) {
    throw new DtError('DT_USAGE', `${wrap.path} does not hold exactly one chart, and a bundle is made of one`);
  }
  const pushes = await planImagePushes(wrap, wrap.folders, { rule: undefined, indexMode: 'filtered' }, context);
  const bundle = await buildBundle(folder, folder.chart, pushes);
  return dropRepeated([bundle, ...pushes.flatMap(carryImage)]);
}

/** An image of a wrap; what is attached to an index that the wrap does not have whole is left out. */
function carryImage({ target, source, graph, attached }: ImagePush): CarriedImage[] {
  const { registry, repository } = target;
  const reference = { registry, repository, digest: graph.root.descriptor.digest };
  const image = { reference, origin: formatPinnedReference(reference), store: source, graph, isRoot: false };
  const known = new Set([graph.root, ...graph.manifests].map(({ descriptor }) => descriptor.digest));
  const kept = attached.filter(({ artifact: { subject, digest } }) => known.has(subject) && known.add(digest));
  return [
    image,
    ...kept.map(({ artifact, graph: own }) => ({
      reference: { registry, repository, digest: artifact.digest },
      origin: '',
      store: source,
      graph: own,
      isRoot: false,
      artifact,
      ...(artifact.tag === undefined ? {} : { tag: artifact.tag }),
    })),
  ];
}

async function buildBundle(
  { name }: OpenedFolder,
  { tree }: OpenedChart,
  pushes: readonly ImagePush[],
): Promise<CarriedImage> {
  const { metadata } = await loadChart(tree, name);
  // What the wrap has of an image is what the lock names.
  const images = pushes.map(({ image: { indexDigest: _, ...lockImage }, graph }) => ({
    lockImage,
    rootDigest: graph.root.descriptor.digest,
  }));
  const kept = tree.filter(({ path }) => !CHART_BUNDLE_PATHS.includes(path));
  const files = buildChartTree([...kept, ...buildChartBundle(metadata, images)]);
  const lock = findChartFile(files, CARVEL_LOCK_PATH)?.bytes ?? new Uint8Array();
  const content = toLayerFiles(files);
  const { manifest, config, layer } = buildBundleImage(await measureLayer(content), bundleLabels({}, true));
  const store = new MemoryStore({ name: `the chart ${metadata.name}` });
  await store.writeBlob(layer, async () => Readable.from([await buffer(openLayer(content))], { objectMode: false }));
  store.blobs.set(config.descriptor.digest, config.bytes);
  const { repository } = parseReference(`${NO_REGISTRY}/${metadata.name.toLowerCase()}`);
  const reference = { registry: NO_REGISTRY, repository, digest: manifest.descriptor.digest };
  return {
    reference,
    origin: formatPinnedReference(reference),
    store,
    graph: { root: manifest, manifests: [], blobs: [config.descriptor, layer] },
    tag: chartTag(metadata.version),
    isRoot: true,
    bundled: parseImagesLock(lock, CARVEL_LOCK_PATH),
  };
}

function toLayerFiles(tree: ChartTree): readonly LayerFile[] {
  const root: LayerFile = { path: '.', type: 'directory', mode: FOLDER_MODE, sizeBytes: 0, bytes: new Uint8Array() };
  return [root, ...tree.map(({ path, type, mode, bytes }) => ({ path, type, mode, bytes, sizeBytes: bytes.length }))];
}
