import type { YamlPath } from '../yaml/yaml-tree.ts';
import { findImagesInText, type ImageHint } from './find-images-in-text.ts';
import { parseImageField } from './image-text.ts';
import type { Manifest } from './parse-manifests.ts';
import type { ImageField, RenderedImage, UnreadableImage } from './rendered-image.ts';

/** What is being found in one object. */
export interface ImageSearch {
  readonly manifest: Manifest;
  readonly found: RenderedImage[];
  readonly unreadable: UnreadableImage[];
}

/** A text, and what its name says about it. */
export interface HintedText {
  readonly text: string;
  readonly hint: ImageHint;
}

/** Adds the value of a field that holds an image and nothing else. */
export function addField(search: ImageSearch, value: unknown, path: YamlPath, field: ImageField): void {
  if (typeof value !== 'string') return;
  const text = value.trim();
  const reference = parseImageField(text);
  if (reference !== undefined) {
    addImage(search, { text, reference }, path, field);
  } else if (text !== '') {
    const { template, kind, name } = search.manifest;
    search.unreadable.push({ text, place: { template, kind, name, path } });
  }
}

/** Adds every image in a text that may hold several, or none. */
export function addText(search: ImageSearch, { text, hint }: HintedText, path: YamlPath, field: ImageField): void {
  const counts = new Set<string>();
  for (const found of findImagesInText(text, hint)) {
    if (counts.has(found.text)) continue;
    counts.add(found.text);
    addImage(search, found, path, field);
  }
}

/** Adds an image that was found at a place. */
export function addImage(
  search: ImageSearch,
  { text, reference }: Pick<RenderedImage, 'text' | 'reference'>,
  path: YamlPath,
  field: ImageField,
): void {
  const { template, kind, name, isTest } = search.manifest;
  const isCertain = field === 'pod' || field === 'custom' || field === 'custom-split';
  const hasIdentifier = reference.tag !== undefined || reference.digest !== undefined;
  search.found.push({
    text,
    reference,
    field,
    isCertain,
    isComplete: field === 'pod' || hasIdentifier,
    isTest,
    place: { template, kind, name, path },
  });
}
