import { formatImagesAnnotation, IMAGES_ANNOTATION, type AnnotatedImage } from '../carvel/image-origins.ts';
import type { YamlPath } from '../yaml/yaml-tree.ts';
import { EMPTY_TABLE, isNullValue, type YamlEntryValue, type YamlTable, type YamlValue } from '../yaml/yaml-value.ts';
import { editDocument } from './edit-document.ts';
import { formatManifest } from './format-manifest.ts';
import type { ManifestDocument } from './manifest-document.ts';
import { rewriteImages, toYamlText } from './rewrite-images.ts';
import { createTextRewriter, type ManifestForm } from './rewrite-nested-text.ts';
import type { SearchRule } from './search-rule.ts';

export interface RewriteOptions {
  readonly rules: readonly SearchRule[];
  /** What becomes of an image; undefined to leave it. */
  readonly findImage: (image: string) => AnnotatedImage | undefined;
  /** Tell the origins of the images in an annotation of the object. */
  readonly annotates: boolean;
  readonly form: ManifestForm;
}

export interface RewrittenDocument {
  readonly text: string;
  /** False if the document could not be edited in place, and is printed anew without its comments. */
  readonly isInPlace: boolean;
}

/** A document with its images replaced. */
export function rewriteDocument(document: ManifestDocument, options: RewriteOptions): RewrittenDocument {
  const values = document.roots.map(({ value }) => mapObjects(value, (object) => rewriteObject(object, options)));
  if (options.form === 'sorted') return { text: printAnew(values.flatMap(listObjects)), isInPlace: true };
  const text = editDocument(document, values);
  return text === undefined
    ? { text: printAnew(values), isInPlace: false }
    : { text: withMarker(document, text), isInPlace: true };
}

/** The objects of a document: the items of a list, else the root itself. */
export function listObjects(root: YamlTable): readonly YamlTable[] {
  return listItems(root) ?? [root];
}

/** Every image of an object with its path, in the order of the object. */
export function visitImages(
  object: YamlTable,
  rules: readonly SearchRule[],
  visit: (image: string, path: YamlPath) => void,
): void {
  rewriteImages(object, {
    rules,
    replace: (image, path) => {
      visit(image, path);
      return undefined;
    },
    rewriteText: createTextRewriter('as-written'),
  });
}

function rewriteObject(object: YamlTable, { rules, findImage, annotates, form }: RewriteOptions): YamlTable {
  const images: AnnotatedImage[] = [];
  const rewritten = rewriteImages(object, {
    rules,
    replace: (text) => {
      const image = findImage(text);
      if (image !== undefined) images.push(image);
      return image?.url;
    },
    rewriteText: createTextRewriter(form),
  }) as YamlTable;
  const annotation = annotates ? formatImagesAnnotation(images) : undefined;
  return annotation === undefined ? rewritten : annotate(rewritten, annotation);
}

function annotate(object: YamlTable, text: string): YamlTable {
  return setField(object, 'metadata', (metadata) =>
    setField(metadata, 'annotations', (annotations) => withField(annotations, IMAGES_ANNOTATION, toYamlText(text))),
  );
}

/** Changes the table in a field, an empty one if there is none. What is no table is left: no cluster would take it. */
function setField(table: YamlTable, key: string, change: (inner: YamlTable) => YamlTable): YamlTable {
  const inner = table.pairs.get(key)?.value;
  if (inner === undefined || isNullValue(inner)) return withField(table, key, change(EMPTY_TABLE));
  return inner.kind === 'table' ? withField(table, key, change(inner)) : table;
}

function withField(table: YamlTable, key: string, value: YamlValue): YamlTable {
  return { kind: 'table', pairs: new Map(table.pairs).set(key, { key: toYamlText(key), value }) };
}

function listItems(root: YamlTable): readonly YamlTable[] | undefined {
  const [kind, items] = ['kind', 'items'].map((key) => root.pairs.get(key)?.value);
  if (kind?.kind !== 'text' || !kind.text.endsWith('List') || items?.kind !== 'list') return undefined;
  const objects = items.items.filter((item) => item.kind === 'table');
  // What lies in a `PodList` may leave to it to say that it is a Pod.
  return objects.length === items.items.length && objects.every(({ pairs }) => pairs.has('kind')) ? objects : undefined;
}

function mapObjects(root: YamlTable, change: (object: YamlTable) => YamlTable): YamlTable {
  const items = listItems(root);
  if (items === undefined) return change(root);
  const changed = items.map(change);
  if (changed.every((item, index) => item === items[index])) return root;
  const entry = root.pairs.get('items') as YamlEntryValue;
  return {
    kind: 'table',
    pairs: new Map(root.pairs).set('items', { ...entry, value: { kind: 'list', items: changed } }),
  };
}

function printAnew(values: readonly YamlTable[]): string {
  return values.map((value) => `---\n${formatManifest(value)}`).join('');
}

function withMarker({ roots }: ManifestDocument, text: string): string {
  if (roots.length === 0) return keepComments(text);
  const ended = text.endsWith('\n') ? text : `${text}\n`;
  return /^---(?=\s)/m.test(ended) ? ended : `---\n${ended}`;
}

/** Of a document without content. They stand between the others, without a marker. */
function keepComments(text: string): string {
  const lines = text.split('\n').filter((line) => /^\s*(?:#|$)/.test(line));
  if (!lines.some((line) => line.includes('#'))) return '';
  const comments = lines.join('\n').trimStart();
  return comments.endsWith('\n') ? comments : `${comments}\n`;
}
