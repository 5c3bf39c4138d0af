import {
  platformOrigin,
  preresolvedOrigin,
  resolvedOrigin,
  type AnnotatedImage,
  type ImageOrigin,
} from '../carvel/image-origins.ts';
import { formatPinnedReference } from '../carvel/pinned-reference.ts';
import type { Digest } from '../oci/digest.ts';
import type { Platform } from '../oci/platform.ts';
import { DEFAULT_TAG, parseReference, type Reference } from '../oci/reference.ts';
import { findImageOverride, type ImageOverride } from './image-override.ts';

/** How an image of the manifests is found out. */
export type ImagePlan =
  /** It is known. */
  { readonly kind: 'known'; readonly image: AnnotatedImage } | AskedImage;

/** The registry has to be asked for what `reference` points to, and for the manifest of a platform if there is one. */
export interface AskedImage {
  readonly kind: 'ask';
  /** The reference as it is written. */
  readonly url: string;
  readonly reference: Reference;
  readonly platform?: Platform;
}

/** What a registry answers. */
export interface RegistryAnswer {
  readonly digest: Digest;
  /** The manifest of the platform, where the digest is that of an index. */
  readonly platformDigest?: Digest;
}

/** Says how to find out an image. Throws DT_BAD_REFERENCE, DT_CONFIG_INVALID for one that is ambiguous. */
export function planImage(
  image: string,
  overrides: readonly ImageOverride[],
  defaultPlatform: Platform | undefined,
): ImagePlan {
  const override = findImageOverride(overrides, image);
  if (override?.isPreresolved === true) return { kind: 'known', image: toPreresolved(override) };
  const url = override?.newImage ?? image;
  const platform = override?.platform ?? defaultPlatform;
  const reference = parseReference(url);
  const { digest } = reference;
  if (digest !== undefined && platform === undefined) {
    return { kind: 'known', image: { url: formatPinnedReference({ ...reference, digest }), origins: [] } };
  }
  return { kind: 'ask', url, reference, ...(platform === undefined ? {} : { platform }) };
}

/** The image that a registry has told. */
export function finishImage(
  { url, reference, platform }: AskedImage,
  { digest, platformDigest }: RegistryAnswer,
): AnnotatedImage {
  const rootUrl = formatPinnedReference({ ...reference, digest });
  const origins: readonly ImageOrigin[] =
    reference.digest === undefined ? [resolvedOrigin(url, reference.tag ?? DEFAULT_TAG)] : [];
  if (platform === undefined || platformDigest === undefined) return { url: rootUrl, origins };
  return {
    url: formatPinnedReference({ ...reference, digest: platformDigest }),
    origins: [...origins, platformOrigin(rootUrl, platform)],
  };
}

function toPreresolved({ newImage, origins }: ImageOverride): AnnotatedImage {
  const own = preresolvedOrigin(newImage);
  const isKnown = origins.some((origin) => JSON.stringify(origin) === JSON.stringify(own));
  return { url: newImage, origins: isKnown ? origins : [...origins, own] };
}
