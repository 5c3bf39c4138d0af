import { CARVEL_LOCK_MODE, formatBundleLock } from '../domain/carvel/bundle-lock.ts';
import { formatMovedLock } from '../domain/carvel/moved-lock.ts';
import { DtError } from '../domain/errors.ts';
import { formatReference } from '../domain/oci/reference.ts';
import { manifestSuccessors, parseManifest } from '../domain/oci/manifest.ts';
import { isNonDistributable } from '../domain/oci/media-types.ts';
import { writeFileAtomically } from '../files/atomic-write.ts';
import { nameCarried, type CarriedImage } from './bundle/carried-image.ts';
import { chooseSource, type ChosenSource, type SourceOptions } from './bundle/copy-source.ts';
import { copyToRepository, type RepositoryCopy } from './bundle/copy-to-repository.ts';
import { copyToTar } from './bundle/copy-to-tar.ts';
import { gatherBundle, type GatherOptions } from './bundle/gather-bundle.ts';
import { gatherTar } from './bundle/gather-tar.ts';
import { placeImages, type TargetOptions } from './bundle/place-images.ts';
import type { RunContext } from './context.ts';

/** Where a copy goes. */
export interface CopyTargets {
  readonly toRepository?: TargetOptions | undefined;
  readonly toTar?: string | undefined;
  /** Continue the tar that is there. */
  readonly resume?: boolean;
  /** Where a lock with the new places is written. */
  readonly lockOutput?: string | undefined;
}

export interface CopyBundleOptions extends SourceOptions, CopyTargets, Omit<GatherOptions, 'lockFile'> {
  /** A bundle tar, instead of the other sources. */
  readonly tar?: string | undefined;
}

export interface CopiedImage {
  /** Where it was found. */
  readonly reference: string;
  /** Where it is now; absent in a tar. */
  readonly target?: string;
  readonly digest: string;
  readonly kind: 'bundle' | 'image' | 'attached';
  /** The tag that it has beside that of its digest. */
  readonly tag?: string;
}

export interface CopyBundleResult {
  readonly images: readonly CopiedImage[];
  readonly file?: string;
  readonly sizeBytes?: number;
  readonly reusedLayers?: number;
  readonly lockFile?: string;
  readonly summary: { readonly sentBytes: number; readonly blobs: RepositoryCopy['summary']['blobs'] };
}

/**
 * Copies a bundle with all images that it names, images of a lock, or one image, from a registry or a tar to a registry or a tar.
 * Throws DT_USAGE, DT_BAD_REFERENCE, DT_LOCK_INVALID, the codes of damaged tars, and what registries and disk say.
 */
export async function copyBundle(options: CopyBundleOptions, context: RunContext): Promise<CopyBundleResult> {
  if (options.toRepository !== undefined) placeImages([], options.toRepository);
  if (options.tar !== undefined) {
    const { images, close } = await gatherTar(options.tar, options, context);
    try {
      return await copyCarried(images, options, context);
    } finally {
      await close();
    }
  }
  const source = await chooseSource(options, context);
  const gathered = await gatherBundle(source, options, context);
  return copyCarried(gathered, options, context, source);
}

/** Copies images that were read to one of the targets. Throws as `copyBundle`. */
export async function copyCarried(
  images: readonly CarriedImage[],
  options: CopyTargets & Pick<CopyBundleOptions, 'includeNonDistributable'>,
  context: RunContext,
  source?: ChosenSource,
): Promise<CopyBundleResult> {
  if (!options.includeNonDistributable) warnOfAbsentLayers(images, context);
  const { toRepository, toTar, resume = false } = options;
  if (toRepository === undefined) {
    if (toTar === undefined) throw new DtError('DT_USAGE', 'there is no target: --to-repo or --to-tar');
    const { summary, ...tar } = await copyToTar(images, { file: toTar, resume }, context);
    const { sizeBytes, reusedLayers } = tar;
    return { images: images.map((image) => describe(image)), file: toTar, sizeBytes, reusedLayers, summary };
  }
  const { placed, summary } = await copyToRepository(images, toRepository, context);
  const { lockOutput } = options;
  if (lockOutput !== undefined) {
    await writeFileAtomically(lockOutput, formatLock(placed, source), { mode: CARVEL_LOCK_MODE });
  }
  return {
    images: placed.map(({ image, place }) => ({
      ...describe(image),
      target: formatReference({ ...place, digest: image.reference.digest }),
    })),
    ...(lockOutput === undefined ? {} : { lockFile: lockOutput }),
    summary,
  };
}

/** A BundleLock for a bundle, else an ImagesLock in the order of the source. */
function formatLock(placed: RepositoryCopy['placed'], source: ChosenSource | undefined): string {
  const roots = placed.filter(({ image }) => image.isRoot);
  const [bundle] = roots.filter(({ image }) => image.bundled !== undefined);
  if (bundle !== undefined) {
    const { image, place } = bundle;
    const reference = { ...place, digest: image.reference.digest };
    return formatBundleLock({ reference, ...(image.tag === undefined ? {} : { tag: image.tag }) });
  }
  const locked = source?.roots.flatMap((root) => root.locked ?? []) ?? [];
  const places = new Map(roots.map(({ image, place }) => [image.reference.digest, place]));
  const entries =
    locked.length > 0 ? locked : roots.map(({ image }) => ({ reference: image.reference, annotations: undefined }));
  return formatMovedLock(
    entries.map(({ reference, annotations }) => ({
      reference: { ...reference, ...places.get(reference.digest) },
      ...(annotations === undefined ? {} : { annotations }),
    })),
  );
}

function describe(image: CarriedImage): CopiedImage {
  return {
    reference: nameCarried(image),
    digest: image.reference.digest,
    kind: image.artifact !== undefined ? 'attached' : image.bundled === undefined ? 'image' : 'bundle',
    ...(image.tag === undefined ? {} : { tag: image.tag }),
  };
}

/** Layers that only their URLs give are left out unless they were asked for. */
function warnOfAbsentLayers(images: readonly CarriedImage[], { reporter }: RunContext): void {
  for (const image of images) {
    const layers = [image.graph.root, ...image.graph.manifests].flatMap((content) =>
      manifestSuccessors(parseManifest(content)).filter(({ mediaType }) => isNonDistributable(mediaType)),
    );
    if (layers.length === 0) continue;
    const digests = [...new Set(layers.map(({ digest }) => digest))].join(', ');
    reporter.warn(
      `layers that may not be distributed are left out of ${nameCarried(image)}: ${digests} (--include-non-distributable-layers takes them along)`,
    );
  }
}
