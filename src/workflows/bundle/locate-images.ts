import { findTag } from '../../content/copy-graph.ts';
import { mapConcurrently } from '../../content/map-concurrently.ts';
import type { RegistryStore } from '../../content/registry-store.ts';
import { locationsTag, placesTag } from '../../domain/carvel/bundle-tags.ts';
import { LOCATIONS_PATH, parseImageLocations, type ImageLocation } from '../../domain/carvel/image-locations.ts';
import type { LockedCarvelImage } from '../../domain/carvel/parse-carvel-lock.ts';
import type { PinnedReference } from '../../domain/carvel/pinned-reference.ts';
import { isDtError } from '../../domain/errors.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import { parseManifest } from '../../domain/oci/manifest.ts';
import type { RunContext } from '../context.ts';
import { openRepository } from '../registry-stores.ts';
import { readLayerFile } from './read-bundle.ts';

/** Where an image of a bundle is. */
export interface LocatedImage {
  readonly image: LockedCarvelImage;
  readonly reference: PinnedReference;
  /** A copy has put it there, for the bundle. */
  readonly isRelocated: boolean;
}

/**
 * Where the images of a bundle are: in its own repository, as the list there says or the registry when it is asked for each; where
 * `--keep-names` has put them; else where the lock says. Throws the registry errors.
 */
export async function locateImages(
  bundle: PinnedReference,
  images: readonly LockedCarvelImage[],
  context: RunContext,
): Promise<readonly LocatedImage[]> {
  const store = openRepository(context, bundle);
  const places = await readList(store, placesTag(bundle.digest), context);
  const listed = await readList(store, locationsTag(bundle.digest), context);
  const own = new Set(listed?.map(({ reference }) => reference.digest));
  return mapConcurrently(images, context, async (image, signal): Promise<LocatedImage> => {
    const { digest } = image.reference;
    const inBundle = { registry: bundle.registry, repository: bundle.repository, digest };
    const place = places?.find(({ reference }) => reference.digest === digest);
    if (place !== undefined) return { image, reference: place.reference, isRelocated: true };
    const isOwn = own.has(digest) || (await isThere(store, digest, signal));
    return isOwn
      ? { image, reference: inBundle, isRelocated: true }
      : { image, reference: image.reference, isRelocated: false };
  });
}

/** A list of places under a tag, if there is one. */
async function readList(
  store: RegistryStore,
  tag: string,
  { signal }: RunContext,
): Promise<readonly ImageLocation[] | undefined> {
  const digest = await findTag(store, tag, signal).catch(ignoreRefusal);
  if (digest === undefined) return undefined;
  const manifest = parseManifest(await store.readManifest(digest, { signal }));
  const name = `${LOCATIONS_PATH} of ${store.name}:${tag}`;
  const layers = manifest.kind === 'manifest' ? manifest.layers : [];
  return parseImageLocations(await readLayerFile(store, layers, { path: LOCATIONS_PATH, name }, signal), name);
}

async function isThere(store: RegistryStore, digest: Digest, signal: AbortSignal): Promise<boolean> {
  return (await findTag(store, digest, signal).catch(ignoreRefusal)) !== undefined;
}

/** Some registries refuse to tell what is not there. */
function ignoreRefusal(error: unknown): undefined {
  if (isDtError(error, 'DT_AUTH_REQUIRED', 'DT_AUTH_DENIED')) return undefined;
  throw error;
}
