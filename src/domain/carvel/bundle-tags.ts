import { digestAlgorithm, digestHex, type Digest } from '../oci/digest.ts';
import { isTag } from '../oci/reference.ts';

const INTERNAL_SUFFIX = '.imgpkg';
const LOCATIONS_SUFFIX = '.image-locations.imgpkg';
/** Ours: imgpkg takes every image of a list of its own to be in the repository of the bundle. */
const PLACES_SUFFIX = '.image-places.dt.imgpkg';
/** Of a repository path in a tag. */
const MAX_PATH_LENGTH = 49;

/** True for a tag that keeps content alive and is no name that anybody gave. */
export function isInternalTag(tag: string): boolean {
  return tag.endsWith(INTERNAL_SUFFIX);
}

/** The tags under which a copied image lies by its digest; none for a digest that is too long for a tag. */
export function contentTags(digest: Digest): string[] {
  return [`${stemOf(digest)}${INTERNAL_SUFFIX}`].filter(isTag);
}

/** The same with the path of the repository that the image comes from. */
export function repositoryBasedTags(repository: string, digest: Digest): string[] {
  const path = repository
    .replaceAll('/', '-')
    .slice(-MAX_PATH_LENGTH)
    .replace(/^[.-]+/, '');
  return [`${path}-${stemOf(digest)}${INTERNAL_SUFFIX}`].filter(isTag);
}

/** Where the list of the places of the images of a bundle lies. */
export function locationsTag(bundle: Digest): string {
  return `${stemOf(bundle)}${LOCATIONS_SUFFIX}`;
}

/** Where the list lies of images that have kept their names. */
export function placesTag(bundle: Digest): string {
  return `${stemOf(bundle)}${PLACES_SUFFIX}`;
}

function stemOf(digest: Digest): string {
  return `${digestAlgorithm(digest)}-${digestHex(digest)}`;
}
