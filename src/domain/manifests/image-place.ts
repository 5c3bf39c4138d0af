import type { ImageField } from '../discovery/rendered-image.ts';

/** Where manifests name an image. */
export interface ImagePlace {
  readonly file: string;
  /** Kind and name of the object; empty if it has none. */
  readonly kind: string;
  readonly name: string;
  readonly path: string;
}

/** An image that the search rules find, as it is written, with every place that names it. */
export interface ManifestImage {
  readonly image: string;
  readonly places: readonly ImagePlace[];
}

/** What only looks like an image, or stands where kbld does not look. */
export interface LikelyImage extends ManifestImage {
  readonly field: ImageField;
}

/** `KIND/NAME PATH in FILE`, of what is known. */
export function describeImagePlace({ file, kind, name, path }: ImagePlace): string {
  return `${[[kind, name].filter((part) => part !== '').join('/'), path].filter((part) => part !== '').join(' ')} in ${file}`;
}
