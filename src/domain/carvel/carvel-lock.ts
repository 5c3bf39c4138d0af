import type { Digest } from '../oci/digest.ts';
import { formatRepository, parseReference } from '../oci/reference.ts';
import { formatCarvelYaml } from './format-carvel-yaml.ts';

/** Where the lock of a bundle lies. https://carvel.dev/imgpkg/docs/latest/resources/ */
export const CARVEL_LOCK_PATH = '.imgpkg/images.yml';
export const CARVEL_API_VERSION = 'imgpkg.carvel.dev/v1alpha1';
export const CARVEL_LOCK_KIND = 'ImagesLock';

/** The reference that an image had where it is used: kbld refuses entries without it. */
export const ID_ANNOTATION = 'kbld.carvel.dev/id';

/** How the digest of an image came about. */
export const ORIGINS_ANNOTATION = 'kbld.carvel.dev/origins';

/** An entry of an ImagesLock. */
export interface CarvelImage {
  /** `registry/repository@digest`. */
  readonly image: string;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** The entry for an image that is used as `reference` and that has this digest. Throws DT_BAD_REFERENCE. */
export function toCarvelImage(reference: string, digest: Digest): CarvelImage {
  return {
    image: `${formatRepository(parseReference(reference))}@${digest}`,
    annotations: { [ID_ANNOTATION]: reference },
  };
}

/** The text of an ImagesLock: entries in the order given, equal ones once. */
export function formatCarvelLock(images: readonly CarvelImage[]): string {
  const different = new Map(images.map((image) => [JSON.stringify([image.image, image.annotations]), image]));
  return formatCarvelYaml({
    apiVersion: CARVEL_API_VERSION,
    images: [...different.values()].map(({ image, annotations }) => ({ annotations, image })),
    kind: CARVEL_LOCK_KIND,
  });
}
