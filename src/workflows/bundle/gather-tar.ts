import { BundleTarReader } from '../../archive/bundle-tar-reader.ts';
import { BundleTarStore } from '../../content/bundle-tar-store.ts';
import { mapConcurrently } from '../../content/map-concurrently.ts';
import { readGraph } from '../../content/read-graph.ts';
import { parseTarManifest, type TarEntryImage } from '../../domain/carvel/parse-tar-manifest.ts';
import { DtError } from '../../domain/errors.ts';
import { formatCount } from '../../domain/format-quantity.ts';
import { findTaggedSubject } from '../../domain/oci/attached-artifact.ts';
import { parseManifest } from '../../domain/oci/manifest.ts';
import type { RunContext } from '../context.ts';
import type { CarriedImage } from './carried-image.ts';
import type { GatherOptions } from './gather-bundle.ts';
import { findBundledImages } from './read-bundle.ts';

/** The content of a bundle tar. */
export interface GatheredTar {
  readonly images: readonly CarriedImage[];
  /** Ends the use of the images. */
  readonly close: () => Promise<void>;
}

/** Reads what a bundle tar holds, apart from its layers. Throws the codes of damaged tars: see bundle-tar-reader.ts and parse-tar-manifest.ts. */
export async function gatherTar(
  file: string,
  options: Pick<GatherOptions, 'attached' | 'includeNonDistributable'>,
  context: RunContext,
): Promise<GatheredTar> {
  return context.reporter.step(
    `Reading "${file}"`,
    async () => {
      const reader = await BundleTarReader.open(file);
      try {
        const contents = parseTarManifest(await reader.readTarManifest(), file);
        const store = new BundleTarStore(reader, contents);
        const images = await mapConcurrently(contents.images, context, async (image, signal) =>
          readImage(store, image, { ...options, signal, concurrency: context.concurrency }),
        );
        if (images.length === 0) throw new DtError('DT_WRAP_INVALID', `${file} is no bundle tar: it has no images`);
        const kept = options.attached === 'none' ? images.filter(({ artifact }) => artifact === undefined) : images;
        return { images: markRoots(kept), close: async () => reader.close() };
      } catch (error) {
        await reader.close();
        throw error;
      }
    },
    ({ images }) => `${formatCount(images.length, 'image')} found`,
  );
}

async function readImage(
  store: BundleTarStore,
  { digest, reference, origin, tag, isRootBundle }: TarEntryImage,
  options: Pick<GatherOptions, 'includeNonDistributable'> & {
    readonly signal: AbortSignal;
    readonly concurrency: number;
  },
): Promise<CarriedImage> {
  const root = await store.readManifest(digest);
  const { includeNonDistributable, ...reading } = options;
  const graph = await readGraph(store, root, { ...reading, selectNonDistributable: () => includeNonDistributable });
  const bundled = await findBundledImages(store, root, options.signal);
  const subject = (tag === undefined ? undefined : findTaggedSubject(tag)) ?? parseManifest(root).subject?.digest;
  return {
    reference,
    origin,
    store,
    graph,
    isRoot: isRootBundle,
    ...(tag === undefined ? {} : { tag }),
    ...(bundled === undefined ? {} : { bundled }),
    ...(subject === undefined ? {} : { artifact: { subject, digest, ...(tag === undefined ? {} : { tag }) } }),
  };
}

/** Without a bundle that was asked for, it was the images that have a tag, or all. */
function markRoots(images: readonly CarriedImage[]): readonly CarriedImage[] {
  if (images.some(({ isRoot }) => isRoot)) return images;
  const isTagged = ({ tag, artifact }: CarriedImage): boolean => tag !== undefined && artifact === undefined;
  const isPlain = images.every((image) => !isTagged(image));
  return images.map((image) => ({ ...image, isRoot: isPlain ? image.artifact === undefined : isTagged(image) }));
}
