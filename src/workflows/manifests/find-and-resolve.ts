import { findManifestImages, type FoundManifestImages } from '../../domain/manifests/find-images.ts';
import type { LikelyImage } from '../../domain/manifests/image-place.ts';
import type { Manifests } from '../../domain/manifests/collect-manifests.ts';
import type { Platform } from '../../domain/oci/platform.ts';
import type { RunContext } from '../context.ts';
import { readImageMap } from './read-image-map.ts';
import { readManifests, type ManifestInput } from './read-manifests.ts';
import { resolveManifestImages, type ResolvedManifestImage } from './resolve-manifest-images.ts';

/** Manifests, and how their images are found out. */
export interface ResolutionOptions extends ManifestInput {
  readonly platform: Platform | undefined;
  /** A map of images as CNAB has it. */
  readonly imageMapFile: string | undefined;
}

/** Manifests with what was found in them. */
export interface SearchedManifests {
  readonly manifests: Manifests;
  readonly found: FoundManifestImages;
}

/** Reads manifests and finds their images. Throws as `readManifests` and `readImageMap`. */
export async function searchManifests(options: ResolutionOptions): Promise<SearchedManifests> {
  const read = await readManifests(options);
  const { imageMapFile } = options;
  const map = imageMapFile === undefined ? [] : readImageMap(imageMapFile);
  const manifests = { ...read, overrides: [...read.overrides, ...map] };
  return { manifests, found: findManifestImages(manifests) };
}

/** Finds out what these images are, and says so. Throws as `resolveManifestImages`. */
export async function resolveFound(
  { manifests, found }: SearchedManifests,
  { platform, likely }: { readonly platform: Platform | undefined; readonly likely: readonly LikelyImage[] },
  context: RunContext,
): Promise<readonly ResolvedManifestImage[]> {
  const wanted = [...found.images, ...likely.map((image) => ({ ...image, isGuess: true }))].toSorted((left, right) =>
    left.image < right.image ? -1 : 1,
  );
  const { overrides } = manifests;
  const images = await resolveManifestImages(wanted, { overrides, platform }, context);
  for (const { image, resolved } of images) context.reporter.info(`${image} -> ${resolved.url}`);
  return images;
}
