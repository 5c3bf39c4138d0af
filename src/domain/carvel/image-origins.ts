import { DtError, isDtError } from '../errors.ts';
import { isYamlMap, parseYaml } from '../yaml/parse-yaml.ts';
import { formatCarvelBody, PlainScalar, type CarvelMap, type CarvelValue } from './format-carvel-yaml.ts';

/** The annotation of a Kubernetes object that tells where its images come from. */
export const IMAGES_ANNOTATION = 'kbld.k14s.io/images';

/** One step on the way to an image, in the words of kbld: `resolved`, `preresolved`, `platformSelected`, …. */
export type ImageOrigin = CarvelMap;

/** A tag was looked up in its registry. */
export function resolvedOrigin(url: string, tag: string): ImageOrigin {
  return { resolved: { tag, url } };
}

/** A lock, or a map, told the image. */
export function preresolvedOrigin(url: string): ImageOrigin {
  return { preresolved: { url } };
}

/** One manifest of an index was chosen. */
export function platformOrigin(
  index: string,
  { os, architecture, variant }: { readonly os: string; readonly architecture: string; readonly variant?: string },
): ImageOrigin {
  return { platformSelected: { architecture, index, os, variant } };
}

/** The text of the origins of an entry of an ImagesLock. */
export function formatOrigins(origins: readonly ImageOrigin[]): string {
  return formatCarvelBody(origins);
}

/** Reads such a text; of what nobody knows, nothing is lost. Throws DT_LOCK_INVALID; `name` is what messages call the lock. */
export function parseOrigins(text: string, name: string): readonly ImageOrigin[] {
  const reject = (cause?: unknown): DtError =>
    new DtError('DT_LOCK_INVALID', `${name} is not valid: the origins of an image are no list`, { cause });
  let list: unknown;
  try {
    list = text.trim() === '' ? [] : parseYaml(text, name);
  } catch (error) {
    if (!isDtError(error, 'DT_YAML_INVALID')) throw error;
    throw reject(error);
  }
  if (!Array.isArray(list) || !list.every(isYamlMap)) throw reject();
  return list.map((item) => toCarvelValue(item) as ImageOrigin);
}

/** An image of an object as its annotation names it. */
export interface AnnotatedImage {
  readonly url: string;
  readonly origins: readonly ImageOrigin[];
}

/** The text of `IMAGES_ANNOTATION`; undefined if nothing is known of any of the images. */
export function formatImagesAnnotation(images: readonly AnnotatedImage[]): string | undefined {
  const known = images.filter(({ origins }) => origins.length > 0);
  const different = new Map(known.map(({ url, origins }) => [JSON.stringify([url, origins]), { origins, url }]));
  const sorted = [...different.values()].toSorted((left, right) =>
    left.url < right.url ? -1 : left.url > right.url ? 1 : 0,
  );
  return sorted.length === 0 ? undefined : formatCarvelBody(sorted);
}

function toCarvelValue(value: unknown): CarvelValue {
  if (Array.isArray(value)) return value.map(toCarvelValue);
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (!isYamlMap(value)) return new PlainScalar(typeof value === 'number' ? String(value) : 'null');
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toCarvelValue(inner)]));
}
