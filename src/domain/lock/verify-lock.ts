import { assertNever } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImagesLock, LockDigest, LockImage } from './images-lock.ts';

/** One way in which a lock file differs from what the chart and the registries say now. */
export type LockDifference =
  | { readonly kind: 'image-count'; readonly fileCount: number; readonly calculatedCount: number }
  | (ImagePlace & { readonly kind: 'image-not-found' })
  | (ImagePlace & { readonly kind: 'arch-not-found'; readonly arch: string })
  | (ImagePlace & {
      readonly kind: 'digest-differs';
      readonly arch: string;
      /** The digest in the file that no manifest of this arch has now. */
      readonly fileDigest: Digest;
      /** All that there is now for this arch. */
      readonly calculatedDigests: readonly Digest[];
    });

interface ImagePlace {
  readonly chart: string;
  readonly name: string;
  readonly image: string;
}

/**
 * All differences between the lock of the file and one that was calculated without a platform filter; none means that
 * the file verifies. For each arch the digests of the file must be among the calculated ones, in any order: an image may
 * have several variants or Windows versions of one arch. What only the registry has is no difference, nor are metadata,
 * the chart block and the order.
 */
export function compareLocks(fileLock: ImagesLock, calculatedLock: ImagesLock): LockDifference[] {
  const calculated = new Map(calculatedLock.images.map((image) => [imageIdentity(image), image]));
  const differences = fileLock.images.flatMap((image) => compareImage(image, calculated.get(imageIdentity(image))));
  const fileCount = fileLock.images.length;
  const calculatedCount = calculatedLock.images.length;
  if (fileCount === calculatedCount) return differences;
  return [{ kind: 'image-count', fileCount, calculatedCount }, ...differences];
}

/** One sentence about a difference. */
export function describeLockDifference(difference: LockDifference): string {
  switch (difference.kind) {
    case 'image-count':
      return `the lock has ${String(difference.fileCount)} images, the chart has ${String(difference.calculatedCount)}`;
    case 'image-not-found':
      return `${describePlace(difference)} is in the lock but not in the chart`;
    case 'arch-not-found':
      return `${describePlace(difference)} has no ${difference.arch} in the registry`;
    case 'digest-differs':
      return (
        `${describePlace(difference)} for ${difference.arch} is ${difference.fileDigest} in the lock ` +
        `but ${difference.calculatedDigests.join(' or ')} in the registry`
      );
    default:
      return assertNever(difference);
  }
}

function compareImage(fileImage: LockImage, calculatedImage: LockImage | undefined): LockDifference[] {
  const { chart, name, image } = fileImage;
  const place: ImagePlace = { chart, name, image };
  if (calculatedImage === undefined) return [{ kind: 'image-not-found', ...place }];
  const calculatedByArch = groupByArch(calculatedImage.digests);
  return [...groupByArch(fileImage.digests)].flatMap(([arch, fileDigests]): LockDifference[] => {
    const calculatedDigests = calculatedByArch.get(arch);
    if (calculatedDigests === undefined) return [{ kind: 'arch-not-found', ...place, arch }];
    return [...fileDigests]
      .filter((digest) => !calculatedDigests.has(digest))
      .map((fileDigest) => ({
        kind: 'digest-differs',
        ...place,
        arch,
        fileDigest,
        calculatedDigests: [...calculatedDigests],
      }));
  });
}

function groupByArch(digests: readonly LockDigest[]): Map<string, Set<Digest>> {
  const groups = new Map<string, Set<Digest>>();
  for (const { arch, digest } of digests) groups.set(arch, (groups.get(arch) ?? new Set<Digest>()).add(digest));
  return groups;
}

function imageIdentity({ chart, name, image }: LockImage): string {
  return JSON.stringify([chart, name, image]);
}

function describePlace({ chart, name, image }: ImagePlace): string {
  return `image "${name}" (${image}) of chart "${chart}"`;
}
