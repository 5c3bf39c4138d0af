import type { ImageOrigin } from './image-origin.ts';
import type { ImageField } from './rendered-image.ts';

/**
 * How sure it is that the chart deploys the image: it says so itself; its rendering runs it; its rendering has a text that
 * looks like it; or it only comes with a feature that is off.
 */
export type Confidence = 'declared' | 'rendered' | 'likely' | 'dormant';

/** Why an image is taken for one of the chart. */
export type DiscoveryReason =
  | { readonly kind: 'annotation'; readonly chart: string; readonly key: string }
  | { readonly kind: 'lock'; readonly file: string }
  | {
      /** In the rendering as the user asked for it, or only with features on that are off. */
      readonly kind: 'rendering' | 'feature';
      readonly template: string;
      /** `KIND/NAME`. */
      readonly object: string;
      readonly path: string;
      readonly field: ImageField;
      readonly isTest: boolean;
      /** Where its head comes from; empty if that is no single place. */
      readonly origins: readonly ImageOrigin[];
    }
  | { readonly kind: 'values'; readonly file: string; readonly line: number; readonly path: string };

/** An image of a chart, with everything that speaks for it. */
export interface DiscoveredImage {
  /** `registry/repository[:tag][@digest]`, with Docker's defaults written out but for the tag. */
  readonly reference: string;
  /** The name that the chart declares, else the last part of the repository. */
  readonly name: string;
  /** The chart or subchart that brings it. */
  readonly chart: string;
  readonly confidence: Confidence;
  /** False for a name to which an operator adds the tag. */
  readonly isComplete: boolean;
  /** True if only `helm test` runs it. */
  readonly isTestOnly: boolean;
  readonly reasons: readonly DiscoveryReason[];
}

/** What a registry says of an image; `unknown` if it cannot be asked, or lets nobody see. */
export type RegistryPresence = 'present' | 'missing' | 'unknown';

/** An image that a registry was asked about, if it is a likely one. */
export interface CheckedImage extends DiscoveredImage {
  readonly registry?: RegistryPresence;
}

/** One thing that a source of discovery has found. */
export type ImageFinding = Pick<DiscoveredImage, 'chart' | 'confidence' | 'isComplete'> & {
  readonly reference: string;
  readonly name?: string | undefined;
  readonly reason: DiscoveryReason;
};
