import { isDeepStrictEqual } from 'node:util';
import { DtError, isDtError } from '../errors.ts';
import { encodeEditedYaml, readYamlBytes } from '../yaml/edit-yaml-bytes.ts';
import { isYamlMap, parseYaml } from '../yaml/parse-yaml.ts';
import type { YamlTree } from '../yaml/yaml-tree.ts';
import { parseImagesAnnotation } from './images-annotation.ts';
import { ANNOTATIONS, proposeTexts, type AnnotatedImage, type Annotation } from './propose-annotation.ts';

/**
 * Writes images into an annotation of a Chart.yaml: what is not there yet is added behind what is, as a list of `image` and
 * `name`. Every other byte stays. The given bytes themselves, if nothing is missing.
 * Throws DT_ANNOTATION_INVALID for an annotation that is no list or a place that leaves no room, DT_YAML_INVALID.
 */
export function annotateImages(
  bytes: Uint8Array,
  fileName: string,
  key: string,
  images: readonly AnnotatedImage[],
): Uint8Array {
  const tree = readYamlBytes(bytes, fileName);
  const present = readAnnotation(tree.text, fileName, key);
  const missing = images.filter(({ image }) => !present.some((entry) => entry.image === image));
  if (missing.length === 0) return bytes;
  const annotation: Annotation = { key, images: [...present, ...missing], missing };
  for (const text of proposeTexts(tree, annotation)) {
    if (text !== undefined && readsAsPlanned(tree, text, annotation)) return encodeEditedYaml(tree, text, bytes);
  }
  throw new DtError(
    'DT_ANNOTATION_INVALID',
    `the annotation "${key}" cannot be written into ${fileName} as it stands`,
    {
      hints: ['an annotation in block style ("images: |") can be added to'],
    },
  );
}

/** True if the text has the missing images behind the entries that it had, and all else as before. */
function readsAsPlanned({ text: before, name }: YamlTree, text: string, { key, missing }: Annotation): boolean {
  try {
    const [old, now] = [before, text].map((document) => parseText(document, name));
    if (!isDeepStrictEqual(withoutAnnotation(old, key), withoutAnnotation(now, key))) return false;
    const added = missing.map(({ image, name: imageName }) => ({ image, name: imageName }));
    return isDeepStrictEqual(readList(now, key, name), [...readList(old, key, name), ...added]);
  } catch (error) {
    if (isDtError(error)) return false;
    throw error;
  }
}

/** The entries with all of their fields. */
function readList(document: unknown, key: string, fileName: string): readonly unknown[] {
  const value = findAnnotation(document, key);
  const list = typeof value === 'string' ? parseYaml(value, fileName) : undefined;
  return Array.isArray(list) ? (list as readonly unknown[]) : [];
}

function readAnnotation(text: string, fileName: string, key: string): readonly AnnotatedImage[] {
  const value = findAnnotation(parseText(text, fileName), key);
  if (value === undefined || value === null) return [];
  if (typeof value !== 'string') {
    throw new DtError('DT_ANNOTATION_INVALID', `annotation "${key}" of ${fileName} is not valid: it is not a text`);
  }
  return parseImagesAnnotation(value, key, fileName);
}

function findAnnotation(document: unknown, key: string): unknown {
  const annotations = isYamlMap(document) ? document[ANNOTATIONS] : undefined;
  return isYamlMap(annotations) && Object.hasOwn(annotations, key) ? annotations[key] : undefined;
}

function parseText(text: string, fileName: string): unknown {
  return parseYaml(text.replace(/^\uFEFF/, ''), fileName);
}

function withoutAnnotation(document: unknown, key: string): unknown {
  if (!isYamlMap(document)) return document;
  const { [ANNOTATIONS]: annotations, ...others } = document;
  if (!isYamlMap(annotations)) return [others, annotations ?? {}];
  return [others, Object.fromEntries(Object.entries(annotations).filter(([name]) => name !== key))];
}
