import { digestAlgorithm, digestHex } from '../oci/digest.ts';
import { DEFAULT_TAG, type Reference } from '../oci/reference.ts';

/** What a wrap of a single image is called: the last part of the repository, and the tag, `latest`, or the digest. */
export function nameContainer({ repository, tag, digest }: Reference): {
  readonly name: string;
  readonly version: string;
} {
  return {
    name: repository.slice(repository.lastIndexOf('/') + 1),
    version: tag ?? (digest === undefined ? DEFAULT_TAG : `${digestAlgorithm(digest)}-${digestHex(digest)}`),
  };
}
