import { DtError } from '../errors.ts';
import type { ImageOrigin } from '../carvel/image-origins.ts';
import type { Platform } from '../oci/platform.ts';
import { matchesImage, type ImageMatcher } from './search-rule.ts';

/** What counts instead of an image that manifests name. */
export interface ImageOverride {
  readonly matcher: ImageMatcher;
  readonly newImage: string;
  /** The new image is final: no registry is asked. */
  readonly isPreresolved: boolean;
  /** What is known of where it comes from. */
  readonly origins: readonly ImageOrigin[];
  /** The one platform to take of an index. */
  readonly platform?: Platform;
  /** The file that says so. */
  readonly file: string;
}

/**
 * The override for an image: the first, as in kbld. Throws DT_CONFIG_INVALID if another one says something else, unless the first
 * names the image and the other one only its repository.
 */
export function findImageOverride(overrides: readonly ImageOverride[], image: string): ImageOverride | undefined {
  const [first, ...others] = overrides.filter(({ matcher }) => matchesImage(matcher, image));
  if (first === undefined) return undefined;
  const rivals = 'image' in first.matcher ? others.filter(({ matcher }) => 'image' in matcher) : others;
  const rival = rivals.find((other) => describeOutcome(other) !== describeOutcome(first));
  if (rival === undefined) return first;
  throw new DtError(
    'DT_CONFIG_INVALID',
    `${image} is ambiguous: ${first.file} makes it ${first.newImage}, ${rival.file} ${rival.newImage}`,
    { detail: 'The two overrides differ in the image, the platform, or in whether it is to be resolved.' },
  );
}

function describeOutcome({ newImage, isPreresolved, platform }: ImageOverride): string {
  return JSON.stringify([newImage, isPreresolved, platform]);
}
