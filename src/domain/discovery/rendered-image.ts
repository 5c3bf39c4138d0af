import type { Reference } from '../oci/reference.ts';
import type { YamlPath } from '../yaml/yaml-tree.ts';

/**
 * What kind of place names the image: a container of a pod, a field of a custom resource, or such a field with the parts of the
 * reference apart; and what only looks like an image: an environment variable, an argument, a text (of a ConfigMap, a script),
 * another field.
 */
export type ImageField = 'pod' | 'custom' | 'custom-split' | 'env' | 'arg' | 'text' | 'field';

/** Where in the rendering an image is named. */
export interface RenderedPlace {
  readonly template: string;
  readonly kind: string;
  readonly name: string;
  readonly path: YamlPath;
}

/** An image reference that a rendering holds. */
export interface RenderedImage {
  /** As it is written; joined if the parts stand apart. */
  readonly text: string;
  readonly reference: Reference;
  readonly field: ImageField;
  /** False for what only looks like an image. */
  readonly isCertain: boolean;
  /** False for a name to which an operator adds the tag. */
  readonly isComplete: boolean;
  /** True in a hook that only `helm test` runs. */
  readonly isTest: boolean;
  readonly place: RenderedPlace;
}

/** An image field with a text that no container runtime takes. */
export interface UnreadableImage {
  readonly text: string;
  readonly place: RenderedPlace;
}
