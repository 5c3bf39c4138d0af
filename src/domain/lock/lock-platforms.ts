import { DtError } from '../errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { attestedDigest, isAttestation } from '../oci/manifest.ts';
import { isManifestMediaType } from '../oci/media-types.ts';
import { formatArch, formatPlatform, matchesPlatform, type Platform } from '../oci/platform.ts';
import type { LockDigest } from './images-lock.ts';

/** A manifest of an index, or of an index in that index. */
export interface IndexLeaf {
  readonly descriptor: Descriptor;
  /** What the index says, else the config; undefined for an artifact that is for no platform. */
  readonly platform: Platform | undefined;
  /** The indexes between the root and the leaf. */
  readonly indexes: readonly Digest[];
}

/** What a reference resolved to: an index, or one manifest with the platform of its config. */
export type ResolvedImage =
  | { readonly kind: 'index'; readonly leaves: readonly IndexLeaf[] }
  | { readonly kind: 'manifest'; readonly digest: Digest; readonly platform: Platform | undefined };

export interface PlatformManifest {
  readonly digest: Digest;
  readonly platform: Platform;
}

/** The platform of what is for none, as BuildKit writes it. */
const UNKNOWN_PLATFORM: Platform = { os: 'unknown', architecture: 'unknown' };

/** The manifests of an image with their platforms, in the order of the index; attestations and bare blobs are left out. */
export function listPlatformManifests(image: ResolvedImage): PlatformManifest[] {
  if (image.kind === 'manifest') return [{ digest: image.digest, platform: image.platform ?? UNKNOWN_PLATFORM }];
  return image.leaves
    .filter(({ descriptor }) => !isAttestation(descriptor) && isManifestMediaType(descriptor.mediaType))
    .map(({ descriptor, platform }) => ({ digest: descriptor.digest, platform: platform ?? UNKNOWN_PLATFORM }));
}

/**
 * The manifests that match one of the wanted platforms; a wanted platform without variant takes every variant. All of
 * them if none is wanted. `name` is what messages call the image. Throws DT_PLATFORM_NOT_FOUND if none is left.
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
 * one the entries carry their variant. A single manifest that is for no platform passes every filter: there is nothing to
 * choose from. Throws as `selectPlatformManifests`.
 */
export function lockDigestsOf(image: ResolvedImage, name: string, wanted: readonly Platform[] = []): LockDigest[] {
  const manifests = listPlatformManifests(image);
  const isForAll = image.kind === 'manifest' && image.platform === undefined;
  return (isForAll ? manifests : selectPlatformManifests(manifests, wanted, name)).map(({ digest, platform }) => ({
    digest,
    arch: formatArch(platform),
    ...(wanted.length > 0 && platform.variant !== undefined ? { variant: platform.variant } : {}),
  }));
}

/**
 * Which manifests of an index are kept when only those of the lock are wanted: they, their attestations, and the indexes that
 * lead to them. Undefined if nothing is left out.
 */
export function findKeptManifests(
  image: ResolvedImage,
  locked: readonly LockDigest[],
): ReadonlySet<Digest> | undefined {
  const wanted = new Set(locked.map(({ digest }) => digest));
  if (image.kind === 'manifest' || listPlatformManifests(image).every(({ digest }) => wanted.has(digest)))
    return undefined;
  const kept = new Set<Digest>();
  for (const { descriptor, indexes } of image.leaves) {
    if (!wanted.has(attestedDigest(descriptor) ?? descriptor.digest)) continue;
    for (const digest of [descriptor.digest, ...indexes]) kept.add(digest);
  }
  return kept;
}
