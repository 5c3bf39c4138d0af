import { DtError } from '../errors.ts';
import { decodeYamlText, isYamlMap, parseYaml } from '../yaml/parse-yaml.ts';
import { CARVEL_API_VERSION } from './carvel-lock.ts';
import { formatCarvelYaml } from './format-carvel-yaml.ts';
import { formatPinnedReference, parsePinnedReference, type PinnedReference } from './pinned-reference.ts';

/** The one file of a locations image. */
export const LOCATIONS_PATH = 'image-locations.yml';
const LOCATIONS_KIND = 'ImageLocations';

/** An image of a bundle, as its lock names it. */
export interface ImageLocation {
  readonly reference: PinnedReference;
  readonly isBundle: boolean;
}

/** The text of the file that says that all images of a bundle lie in its repository. */
export function formatImageLocations(locations: readonly ImageLocation[]): string {
  const images = locations
    .map(({ reference, isBundle }) => ({ image: formatPinnedReference(reference), isBundle }))
    .sort((left, right) => (left.image < right.image ? -1 : left.image > right.image ? 1 : 0));
  return formatCarvelYaml({
    apiVersion: CARVEL_API_VERSION,
    images: images.length === 0 ? null : images,
    kind: LOCATIONS_KIND,
  });
}

/** Reads that file. Throws DT_LOCK_INVALID, DT_YAML_INVALID. */
export function parseImageLocations(bytes: Uint8Array, name: string): readonly ImageLocation[] {
  const refuse = (why: string): DtError => new DtError('DT_LOCK_INVALID', `${name} is not valid: ${why}`);
  const document = parseYaml(decodeYamlText(bytes, name), name);
  if (!isYamlMap(document) || document['apiVersion'] !== CARVEL_API_VERSION || document['kind'] !== LOCATIONS_KIND) {
    throw refuse(`it is no ${LOCATIONS_KIND}`);
  }
  const images = document['images'] ?? [];
  if (!Array.isArray(images)) throw refuse('its images are not a list');
  return images.map((item: unknown) => {
    const image = isYamlMap(item) ? item['image'] : undefined;
    const reference = typeof image === 'string' ? parsePinnedReference(image) : undefined;
    if (!isYamlMap(item) || reference === undefined) throw refuse('an image has no digest');
    return { reference, isBundle: item['isBundle'] === true };
  });
}
