import type { ImageOrigin } from '../discovery/image-origin.ts';
import type { RenderedImage } from '../discovery/rendered-image.ts';
import type { RelocationChange } from '../relocation/relocation-change.ts';
import { formatYamlPath } from '../yaml/yaml-tree.ts';

/**
 * Why a rendered image still points elsewhere: it stands in a template; in a values file that is not to be edited; the
 * mapping changes more of its name than the one place that it begins with; two images want different things of one place; it is put
 * together from what no single place holds; or an edit would have changed something else.
 */
export type LeftReason = 'hard-coded' | 'values' | 'shape' | 'conflict' | 'untraced' | 'refused';

/** An image that the relocated chart renders as before. */
export interface LeftImage {
  readonly reference: string;
  readonly template: string;
  /** `KIND/NAME`. */
  readonly object: string;
  readonly path: string;
  /** False for what only looks like an image. */
  readonly isCertain: boolean;
  /** True if only `helm test` runs it. */
  readonly isTest: boolean;
  /** True if it comes with a feature that is off. */
  readonly isOff: boolean;
  readonly why: LeftReason;
  /** What it begins with, as far as that was found. */
  readonly origins: readonly ImageOrigin[];
}

/** A reference that the relocated chart renders in another way. */
export interface MovedImage {
  readonly from: string;
  readonly to: string;
  /** True if it comes with a feature that is off. */
  readonly isOff: boolean;
}

/** What renderings before and after say of a relocation. */
export interface RelocationProof {
  /** `unproven` if there was no rendering to compare. */
  readonly state: 'proven' | 'unproven';
  /** Why it is unproven. */
  readonly reason?: string;
  readonly helmVersion?: string;
  /** Rendered image references that are where the mapping puts them, each once. */
  readonly moved: readonly MovedImage[];
  readonly left: readonly LeftImage[];
  /** Edits by the shape of the values that no image of any rendering shows. */
  readonly unproven: readonly RelocationChange[];
  /** Edits by the shape of the values that were not made, as a rendering contradicts them. */
  readonly withdrawn: readonly RelocationChange[];
  /** Image fields that hold no reference, and documents that are no YAML: nothing is proven of them. */
  readonly problems: readonly string[];
  /** Why edits were refused: what Helm said, or what would have changed. */
  readonly objections: readonly string[];
  readonly renderCount: number;
  /** Time in Helm. */
  readonly durationMs: number;
}

/** An image that was left, with its place in words. */
export function describeLeftImage(
  image: RenderedImage,
  why: LeftReason,
  origins: readonly ImageOrigin[],
  isOff: boolean,
): LeftImage {
  const { text, place, isCertain, isTest } = image;
  return {
    reference: text,
    template: place.template,
    object: `${place.kind}/${place.name}`,
    path: formatYamlPath(place.path),
    isCertain,
    isTest,
    isOff,
    why,
    origins,
  };
}
