import { listLockPlatforms, type LockPlatform } from '../../domain/lock/images-lock.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import { formatReference } from '../../domain/oci/reference.ts';
import type { ImagePush } from './plan-image-pushes.ts';
import type { AttachedPush } from './push-attached.ts';
import type { PushedImage } from './push-images.ts';

/** An image of a wrap in the target. */
export interface UnwrappedImage {
  /** As the chart of the wrap has it. */
  readonly reference: string;
  /** Where it is pushed to. */
  readonly target: string;
  /** What the relocated chart calls it, if it is read from another place. */
  readonly pullTarget?: string;
  /** What is pushed; once pushed, what the target has. */
  readonly digest: string;
  /** Present if the target has another digest than the source. */
  readonly sourceDigest?: string;
  readonly platforms: readonly LockPlatform[];
  /** Signatures and the like in the wrap. */
  readonly attachedCount: number;
}

/** What is told of an image; `digest` is that of the target, or the one that it will get there. */
export function describePush(
  { image, target, pullTarget, attached, sourceDigest }: ImagePush,
  digest: Digest,
): UnwrappedImage {
  return {
    reference: image.image,
    target: formatReference(target),
    ...(pullTarget === undefined ? {} : { pullTarget: formatReference(pullTarget) }),
    digest,
    ...(sourceDigest === undefined || sourceDigest === digest ? {} : { sourceDigest }),
    platforms: listLockPlatforms(image),
    attachedCount: attached.length,
  };
}

/** What goes along with an image that is in the target. */
export function toAttachedPush({ push, digest }: PushedImage): AttachedPush {
  const { image, source, target, attached, sourceDigest, lostDigests } = push;
  return {
    image: image.image,
    source,
    target,
    attached,
    lostDigests: sourceDigest === digest ? undefined : lostDigests,
  };
}
