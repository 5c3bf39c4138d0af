import { BundleTarReader } from '../../archive/bundle-tar-reader.ts';
import { planBundleTar } from '../../archive/bundle-tar-plan.ts';
import { BundleTarWriter } from '../../archive/bundle-tar-writer.ts';
import { PARTIAL_EXTENSION, requireRegularOutput } from '../../archive/output-path.ts';
import { copyGraphs } from '../../content/copy-graph.ts';
import type { CopyJob, CopySummary } from '../../content/copy-job.ts';
import { mapConcurrently } from '../../content/map-concurrently.ts';
import { readBlobBytes } from '../../content/read-blob-bytes.ts';
import type { WritableStore } from '../../content/store.ts';
import { WrapTarget } from '../../content/wrap-target.ts';
import { formatTarManifest, layerPath, type TarredImage } from '../../domain/carvel/tar-manifest.ts';
import { DtError, isDtError } from '../../domain/errors.ts';
import { formatBytes, formatCount, formatDuration } from '../../domain/format-quantity.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import type { Descriptor } from '../../domain/oci/descriptor.ts';
import { MAX_MANIFEST_BYTES, parseManifest } from '../../domain/oci/manifest.ts';
import { acquireOutputLock } from '../../files/output-lock.ts';
import { combineFailures, listFailures, toOutcome } from '../collect-failures.ts';
import type { RunContext } from '../context.ts';
import { requireFreeSpace } from '../preflight.ts';
import type { Progress } from '../ports.ts';
import { trackImages } from '../track-images.ts';
import { createParentFolder } from '../wrapping/require-output-place.ts';
import { nameCarried, type CarriedImage } from './carried-image.ts';

/** Configs are held in memory until the table of contents is written. */
const MAX_CONFIGS_BYTES = 128 * 1024 * 1024;

export interface TarOptions {
  readonly file: string;
  /** Take layers from the file that is there. */
  readonly resume: boolean;
}

/** What a copy to a tar has done. */
export interface TarCopy {
  readonly sizeBytes: number;
  readonly layers: number;
  /** Layers that a former run or the former file had. */
  readonly reusedLayers: number;
  readonly summary: Pick<CopySummary, 'blobs' | 'sentBytes'>;
}

/**
 * Writes images into one tar, each layer once and at a place that is known beforehand. A run that was interrupted is continued. The same images
 * give the same bytes. Throws DT_OUTPUT_FAILED, DT_OUTPUT_BUSY, DT_DISK_FULL, DT_WRAP_INVALID for a file to resume that is no tar, and what registries say.
 */
export async function copyToTar(
  images: readonly CarriedImage[],
  options: TarOptions,
  context: RunContext,
): Promise<TarCopy> {
  const { file } = options;
  await requireRegularOutput(file);
  await createParentFolder(file);
  const release = await acquireOutputLock(`${file}${PARTIAL_EXTENSION}.lock`, file);
  const startedAt = performance.now();
  try {
    return await context.reporter.step(
      'Writing the tar',
      async (progress) => writeTar(images, options, context, progress),
      ({ summary: { sentBytes }, reusedLayers }) =>
        `${formatCount(images.length, 'image')}, ${formatBytes(sentBytes)} fetched in ${formatDuration(performance.now() - startedAt)}` +
        (reusedLayers === 0 ? '' : ` (${formatCount(reusedLayers, 'layer')} already there)`),
    );
  } finally {
    await release();
  }
}

async function writeTar(
  images: readonly CarriedImage[],
  { file, resume }: TarOptions,
  context: RunContext,
  progress: Progress,
): Promise<TarCopy> {
  const configs = await readConfigs(images, context);
  const manifest = formatTarManifest(images.map((image) => toTarred(image, configs)));
  const layers = listLayers(images, configs);
  const plan = planBundleTar(Buffer.from(manifest), layers);
  await requireFreeSpace(file, plan.totalBytes);
  const old = resume ? await openOld(file) : undefined;
  try {
    const writer = await BundleTarWriter.open(file, plan, context.signal);
    try {
      const reused = old === undefined ? 0 : await reuseLayers(old, layers, writer, context);
      const summary = await fetchLayers(images, new WrapTarget(writer, file), context, progress);
      await writer.finish();
      const reusedLayers = reused + writer.continuedLayers;
      return { sizeBytes: plan.totalBytes, layers: layers.length, reusedLayers, summary };
    } catch (error) {
      const kept = await writer.abandon();
      if (kept !== undefined) context.reporter.info(`${kept} is kept; the same command goes on from there`);
      throw error;
    }
  } finally {
    await old?.close();
  }
}

async function fetchLayers(
  images: readonly CarriedImage[],
  target: WritableStore,
  context: RunContext,
  progress: Progress,
): Promise<TarCopy['summary']> {
  const { concurrency, signal } = context;
  const jobs = images.map(({ store, graph }): CopyJob => ({ source: store, target, graph, tags: [] }));
  const onBytes = trackImages(
    progress,
    images.map((image) => ({ name: nameCarried(image), graphs: [image.graph] })),
  );
  const { failures, blobs, sentBytes } = await copyGraphs(jobs, { concurrency, signal, onBytes });
  const failed = listFailures(
    images,
    jobs.map((job) => toOutcome(failures.get(job))),
    nameCarried,
  );
  if (failed.length > 0) throw combineFailures(failed, { totalCount: images.length, verb: 'copied' });
  return { blobs, sentBytes };
}

/** The file of a former run, whole or cut. */
async function openOld(file: string): Promise<BundleTarReader | undefined> {
  try {
    return await BundleTarReader.open(file, { allowTruncated: true });
  } catch (error) {
    if (isDtError(error, 'DT_FILE_NOT_FOUND')) return undefined;
    throw error;
  }
}

/** Layers of a former file that are what their names say. */
async function reuseLayers(
  old: BundleTarReader,
  layers: readonly Descriptor[],
  writer: BundleTarWriter,
  { signal }: RunContext,
): Promise<number> {
  let reused = 0;
  for (const { digest, size } of layers) {
    const name = layerPath(digest);
    if (size === 0 || old.sizeOf(name) !== size || writer.isFinished(digest)) continue;
    try {
      await writer.writeBlob(digest, old.openEntry(name, signal), { sourceName: old.path });
      reused++;
    } catch (error) {
      if (!isDtError(error, 'DT_DIGEST_MISMATCH', 'DT_SIZE_MISMATCH')) throw error;
    }
  }
  return reused;
}

/** The configs of all manifests, which go into the table of contents. */
async function readConfigs(
  images: readonly CarriedImage[],
  context: RunContext,
): Promise<ReadonlyMap<Digest, Uint8Array>> {
  const wanted = new Map<Digest, { readonly image: CarriedImage; readonly config: Descriptor }>();
  for (const image of images) {
    for (const content of [image.graph.root, ...image.graph.manifests]) {
      const manifest = parseManifest(content);
      if (manifest.kind === 'manifest') wanted.set(manifest.config.digest, { image, config: manifest.config });
    }
  }
  const totalBytes = [...wanted.values()].reduce((sum, { config }) => sum + config.size, 0);
  const largest = Math.max(0, ...[...wanted.values()].map(({ config }) => config.size));
  if (totalBytes > MAX_CONFIGS_BYTES || largest > MAX_MANIFEST_BYTES) {
    throw new DtError('DT_LIMIT_EXCEEDED', 'the configs of the images are too large for a bundle tar');
  }
  const read = await mapConcurrently([...wanted.values()], context, async ({ image, config }, signal) =>
    readBlobBytes(image.store, config, { signal }),
  );
  return new Map([...wanted.keys()].map((digest, index) => [digest, read[index] ?? new Uint8Array()]));
}

/** Everything but the configs, which are not files of the tar. */
function listLayers(images: readonly CarriedImage[], configs: ReadonlyMap<Digest, unknown>): readonly Descriptor[] {
  const layers = new Map(images.flatMap(({ graph }) => graph.blobs.map((blob) => [blob.digest, blob])));
  const isLayerToo = new Set(
    images.flatMap(({ graph }) =>
      [graph.root, ...graph.manifests].flatMap((content) => {
        const manifest = parseManifest(content);
        return manifest.kind === 'manifest' ? manifest.layers.map(({ digest }) => digest) : [];
      }),
    ),
  );
  return [...layers.values()].filter(({ digest }) => !configs.has(digest) || isLayerToo.has(digest));
}

function toTarred(image: CarriedImage, configs: ReadonlyMap<Digest, Uint8Array>): TarredImage {
  const { reference, origin, tag = '', isRoot, bundled, graph } = image;
  const { root, manifests } = graph;
  return { reference, origin, tag, isRootBundle: isRoot && bundled !== undefined, root, manifests, configs };
}
