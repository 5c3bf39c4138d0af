import { formatYamlPath } from '../yaml/yaml-tree.ts';
import type { MarkAlphabet } from './marks.ts';
import type { RenderedImage } from './rendered-image.ts';

/** The marks that an image begins with: one for a field, several for a text that names the image more than once. */
export type FoundMarks = ReadonlyMap<RenderedImage, readonly number[]>;

/** Reads from a marked rendering which marks each image begins with. Images whose text or place changed otherwise are left out. */
export function matchMarks(
  images: readonly RenderedImage[],
  marked: readonly RenderedImage[],
  marks: MarkAlphabet,
): FoundMarks {
  const found = new Map<RenderedImage, readonly number[]>();
  const plain = marked.flatMap((image) => {
    const index = marks.readHead(image.text);
    return index === undefined ? [] : [{ index, image: stripImage(image, marks) }];
  });
  // A name may be cut when it grows, and an item may move in a list: the exact place first, then what is left.
  for (const toKey of [exactKey, keyWithoutName, keyWithoutPlace]) {
    const byKey = Map.groupBy(plain, ({ image }) => toKey(image));
    for (const image of images) {
      const matching = found.has(image) ? undefined : byKey.get(toKey(image));
      if (matching !== undefined) found.set(image, [...new Set(matching.map(({ index }) => index))]);
    }
  }
  return found;
}

/**
 * Reads which marks of empty values arrive in front of which images. The mark may have replaced a default, so only the end
 * of the text is compared.
 */
export function matchEmptyMarks(
  images: readonly RenderedImage[],
  marked: readonly RenderedImage[],
  marks: MarkAlphabet,
): FoundMarks {
  const found = new Map<RenderedImage, readonly number[]>();
  for (const changed of marked) {
    const index = marks.readHead(changed.text);
    if (index === undefined) continue;
    const tail = marks.strip(changed.text).replace(/^\/+/, '');
    const key = placeKey(stripImage(changed, marks));
    const image = images.find(
      (candidate) =>
        placeKey(candidate) === key &&
        (candidate.text === tail || candidate.text.endsWith(`/${tail}`) || tail.endsWith(`/${candidate.text}`)),
    );
    if (image !== undefined) found.set(image, [...(found.get(image) ?? []), index]);
  }
  return found;
}

function stripImage(image: RenderedImage, marks: MarkAlphabet): RenderedImage {
  const { place } = image;
  const path = place.path.map((part) => (typeof part === 'string' ? marks.strip(part) : part));
  return { ...image, text: marks.strip(image.text), place: { ...place, name: marks.strip(place.name), path } };
}

function placeKey({ place: { template, kind, name, path } }: RenderedImage): string {
  return JSON.stringify([template, kind, name, formatYamlPath(path)]);
}

function exactKey(image: RenderedImage): string {
  return `${placeKey(image)} ${image.text}`;
}

function keyWithoutName({ text, place: { template, kind, path } }: RenderedImage): string {
  return JSON.stringify([template, kind, formatYamlPath(path), text]);
}

function keyWithoutPlace({ text, place: { template, kind } }: RenderedImage): string {
  return JSON.stringify([template, kind, text]);
}
