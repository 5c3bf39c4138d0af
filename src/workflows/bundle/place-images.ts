import type { PinnedReference } from '../../domain/carvel/pinned-reference.ts';
import { DtError } from '../../domain/errors.ts';
import { parseReference, type Reference } from '../../domain/oci/reference.ts';
import { parseRelocationPrefix } from '../../domain/relocation/relocation-prefix.ts';
import { pushTarget } from '../../domain/relocation/relocate-reference.ts';
import type { CarriedImage } from './carried-image.ts';

export interface TargetOptions {
  /** The repository that everything goes to, or with `keepsNames` the prefix. */
  readonly repository: string;
  /** Images keep their own repositories under the prefix. */
  readonly keepsNames?: boolean;
  /** Tags begin with the path of the repository that an image comes from. */
  readonly isRepositoryBased?: boolean;
}

/** An image with the repository that it goes to. */
export interface PlacedImage {
  readonly image: CarriedImage;
  readonly place: Pick<Reference, 'registry' | 'repository'>;
}

/** Where each image goes. Throws DT_BAD_REFERENCE, DT_BAD_PREFIX, DT_USAGE for a target with a tag or digest. */
export function placeImages(images: readonly CarriedImage[], target: TargetOptions): readonly PlacedImage[] {
  if (target.keepsNames === true) {
    const rule = { ...parseRelocationPrefix(target.repository), naming: 'keep-path' as const };
    return images.map((image) => {
      const { registry, repository } = pushTarget(withoutDigest(image.reference), rule);
      return { image, place: { registry, repository } };
    });
  }
  const { registry, repository } = parseTargetRepository(target.repository);
  return images.map((image) => ({ image, place: { registry, repository } }));
}

/** A repository without tag or digest. Throws DT_BAD_REFERENCE, DT_USAGE. */
export function parseTargetRepository(text: string): Pick<Reference, 'registry' | 'repository'> {
  const { registry, repository, tag, digest } = parseReference(text);
  if (tag === undefined && digest === undefined) return { registry, repository };
  throw new DtError('DT_USAGE', `"${text}" is no repository: it has a tag or a digest`, {
    detail: 'The tag of the source is kept.',
  });
}

function withoutDigest({ registry, repository }: PinnedReference): Reference {
  return { registry, repository };
}
