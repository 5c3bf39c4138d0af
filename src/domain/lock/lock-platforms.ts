import { DtError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import { isAttestation, type ImageIndex } from '../oci/manifest.ts';
import { isIndexMediaType, isManifestMediaType } from '../oci/media-types.ts';
import { formatArch, formatPlatform, matchesPlatform, type Platform } from '../oci/platform.ts';
import type { LockDigest } from './images-lock.ts';

/** What a reference resolved to: an index, or one manifest with the platform of its config. */
export type ResolvedImage =
  | { readonly kind: 'index'; readonly index: ImageIndex }
  | { readonly kind: 'manifest'; readonly digest: Digest; readonly platform: Platform | undefined };

export interface PlatformManifest {
  readonly digest: Digest;
  readonly platform: Platform;
}

/**
 * The manifests of an image with their platforms, in the order of the index, attestations left out. `name` is what
 * messages call the image. Throws DT_MANIFEST_INVALID for an entry without platform and for an index in the index.
 */
export function listPlatformManifests(image: ResolvedImage, name: string): PlatformManifest[] {
  const reject = (digest: Digest, why: string): DtError =>
    new DtError('DT_MANIFEST_INVALID', `image ${name} cannot be locked: ${digest} ${why}`);
  if (image.kind === 'manifest') {
    if (image.platform === undefined) throw reject(image.digest, 'has no platform in its config');
    return [{ digest: image.digest, platform: image.platform }];
  }
  return image.index.manifests
    .filter((descriptor) => !isAttestation(descriptor))
    .map(({ digest, mediaType, platform }) => {
      if (isIndexMediaType(mediaType)) throw reject(digest, 'is an index in an index');
      if (!isManifestMediaType(mediaType)) throw reject(digest, `has the unknown media type "${mediaType}"`);
      if (platform === undefined) throw reject(digest, 'has no platform');
      return { digest, platform };
    });
}

/**
 * The manifests that match one of the wanted platforms; a wanted platform without variant takes every variant. All of
 * them if none is wanted. Throws DT_PLATFORM_NOT_FOUND if none is left.
 */
export function selectPlatformManifests(
  manifests: readonly PlatformManifest[],
  wanted: readonly Platform[],
  name: string,
): readonly PlatformManifest[] {
  if (wanted.length === 0) return manifests;
  const selected = manifests.filter(({ platform }) => wanted.some((item) => matchesPlatform(platform, item)));
  if (selected.length > 0) return selected;
  const available = [...new Set(manifests.map(({ platform }) => formatPlatform(platform)))];
  throw new DtError(
    'DT_PLATFORM_NOT_FOUND',
    `image ${name} has none of the platforms ${wanted.map(formatPlatform).join(', ')}`,
    { detail: `It has ${available.length === 0 ? 'no platforms at all' : available.join(', ')}.` },
  );
}

/**
 * The `digests` of an image in Images.lock. Without a filter no entry has a field that the Go tool does not write; with
 * one the entries carry their variant. Throws as the two functions above.
 */
export function lockDigestsOf(image: ResolvedImage, name: string, wanted: readonly Platform[] = []): LockDigest[] {
  return selectPlatformManifests(listPlatformManifests(image, name), wanted, name).map(({ digest, platform }) => ({
    digest,
    arch: formatArch(platform),
    ...(wanted.length > 0 && platform.variant !== undefined ? { variant: platform.variant } : {}),
  }));
}
