import { DtError, isDtError } from '../errors.ts';
import { applyYamlEdits } from '../yaml/apply-yaml-edits.ts';
import { encodeEditedYaml, readYamlBytes } from '../yaml/edit-yaml-bytes.ts';
import { isYamlMap, parseYaml } from '../yaml/parse-yaml.ts';
import { lineEndFrom, lineEndOf, startOf, type YamlEdit } from '../yaml/yaml-edits.ts';
import { formatNewScalar } from '../yaml/yaml-scalar-text.ts';
import type { YamlMap, YamlPair, YamlScalar, YamlTree } from '../yaml/yaml-tree.ts';
import { parseImagesAnnotation } from './images-annotation.ts';

/** An entry of an images annotation. */
export interface AnnotatedImage {
  readonly image: string;
  readonly name: string;
}

/** One annotation as it is to be. */
interface Annotation {
  readonly key: string;
  /** All entries. */
  readonly images: readonly AnnotatedImage[];
  /** Those that it does not have yet. */
  readonly missing: readonly AnnotatedImage[];
}

const ANNOTATIONS = 'annotations';
const INDENT = 2;

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

/** The edited text in the ways that there are, the best one first. */
function* proposeTexts(tree: YamlTree, annotation: Annotation): Generator<string | undefined> {
  const [root] = tree.roots;
  if (root?.kind !== 'map' || root.isFlow) return;
  const parent = findPair(root, ANNOTATIONS);
  if (parent === undefined) {
    yield* addAnnotations(tree, root, annotation);
    return;
  }
  const own = parent.value.kind === 'map' ? findPair(parent.value, annotation.key) : undefined;
  if (own !== undefined) yield* changeAnnotation(tree, own, annotation);
  else yield* addAnnotation(tree, parent, annotation);
}

function findPair(map: YamlMap, key: string): YamlPair | undefined {
  return map.pairs.find(({ keyText }) => keyText === key);
}

function* changeAnnotation(tree: YamlTree, pair: YamlPair, annotation: Annotation): Generator<string | undefined> {
  const { key, value } = pair;
  if (value.kind !== 'scalar' || key.kind !== 'scalar') return;
  const [, dashIndent] = /^( *)-(?:\s|$)/m.exec(value.text) ?? [];
  if (value.style === 'literal' && dashIndent !== undefined) {
    const last = value.text.trimEnd().length - 1;
    const replacement = [value.text.charAt(last), ...formatEntries(annotation.missing, dashIndent)].join('\n');
    const splices = [{ start: last, end: last + 1, replacement }];
    yield applyEdit(tree, { kind: 'splice-scalar', scalar: value, splices });
  }
  if (!value.isInFlow && value.style !== 'literal' && value.style !== 'folded') {
    yield replaceByLiteral(tree, key, value, annotation);
  }
  const list = formatEntries(annotation.images, '').join('\n');
  yield applyEdit(tree, { kind: 'set-scalar', scalar: value, value: list });
}

/** Writes `|` in the place of a value; the list follows below the line. */
function replaceByLiteral(
  tree: YamlTree,
  key: YamlScalar,
  { start, end, insertAt, style }: YamlScalar,
  { images }: Annotation,
): string | undefined {
  const quote = style === 'plain' ? 0 : 1;
  const [from, to] = start === -1 ? [insertAt, insertAt] : [start - quote, end + quote];
  if (from === -1) return undefined;
  const lineEnd = lineEndFrom(tree.text, to);
  const before = tree.text.slice(0, from).replace(/[ \t]*$/, ' ');
  const below = formatEntries(images, ' '.repeat(columnOf(tree.text, key) + INDENT));
  return [`${before}|${tree.text.slice(to, lineEnd)}`, ...below].join(lineEndOf(tree.text)) + tree.text.slice(lineEnd);
}

function* addAnnotation(tree: YamlTree, parent: YamlPair, annotation: Annotation): Generator<string | undefined> {
  const { key, value } = parent;
  if (key.kind !== 'scalar') return;
  const text = tree.text;
  const colon = text.indexOf(':', key.end) + 1;
  if (value.kind === 'scalar' || (value.kind === 'map' && value.pairs.length === 0)) {
    // Nothing, in one of its spellings.
    const [nothing = ''] = /^[ \t]*(?:\{[ \t]*\}|null|~)/i.exec(text.slice(colon)) ?? [];
    const indent = columnOf(text, key) + INDENT;
    yield insertBelow(text.slice(0, colon), text.slice(colon + nothing.length), formatPair(annotation, indent), text);
    return;
  }
  const [first] = value.kind === 'map' ? value.pairs : [];
  if (first?.key.kind !== 'scalar') return;
  const pair = formatPair(annotation, columnOf(text, first.key));
  if (!first.key.isInFlow) yield insertBelow(text.slice(0, colon), text.slice(colon), pair, text);
  const list = `${formatEntries(annotation.images, '').join('\n')}\n`;
  yield applyEdit(tree, { kind: 'insert-pair', before: first, key: annotation.key, value: list });
}

/** Puts lines behind the line in which `rest` begins. */
function insertBelow(before: string, rest: string, lines: readonly string[], text: string): string {
  const lineEnd = lineEndFrom(rest, 0);
  return [before + rest.slice(0, lineEnd), ...lines].join(lineEndOf(text)) + rest.slice(lineEnd);
}

function* addAnnotations(tree: YamlTree, root: YamlMap, annotation: Annotation): Generator<string | undefined> {
  const { text } = tree;
  const lineEnd = lineEndOf(text);
  const lines = [`${ANNOTATIONS}:`, ...formatPair(annotation, INDENT)].join(lineEnd) + lineEnd;
  yield `${text}${text === '' || text.endsWith('\n') ? '' : lineEnd}${lines}`;
  // The end of a document may stand last.
  for (const { key } of root.pairs.toReversed()) {
    if (key.kind !== 'scalar' || columnOf(text, key) !== 0) continue;
    const start = startOf(key);
    yield text.slice(0, start) + lines + text.slice(start);
  }
}

function formatPair({ key, images }: Annotation, indent: number): readonly string[] {
  const blanks = ' '.repeat(indent);
  return [`${blanks}${formatNewScalar(key, false)}: |`, ...formatEntries(images, blanks + ' '.repeat(INDENT))];
}

/** The keys in the order in which the Go tool writes them. */
function formatEntries(images: readonly AnnotatedImage[], indent: string): readonly string[] {
  return images.flatMap(({ image, name }) => [
    `${indent}- image: ${formatNewScalar(image, false)}`,
    `${indent}  name: ${formatNewScalar(name, false)}`,
  ]);
}

function applyEdit(tree: YamlTree, edit: YamlEdit): string | undefined {
  const { text, refused } = applyYamlEdits(tree, [[edit]]);
  return refused.length === 0 ? text : undefined;
}

/** True if the text has the annotation as wanted, and all else as before. */
function readsAsPlanned({ text: before, name }: YamlTree, text: string, { key, images }: Annotation): boolean {
  try {
    const same = [before, text].map((document) => JSON.stringify(withoutAnnotation(parseText(document, name), key)));
    if (same[0] !== same[1]) return false;
    const now = readAnnotation(text, name, key);
    return (
      now.length === images.length &&
      images.every(({ image, name: imageName }, index) => now[index]?.image === image && now[index].name === imageName)
    );
  } catch (error) {
    if (isDtError(error)) return false;
    throw error;
  }
}

function readAnnotation(text: string, fileName: string, key: string): readonly AnnotatedImage[] {
  const document = parseText(text, fileName);
  const annotations = isYamlMap(document) ? document[ANNOTATIONS] : undefined;
  const value = isYamlMap(annotations) && Object.hasOwn(annotations, key) ? annotations[key] : undefined;
  if (value === undefined || value === null) return [];
  if (typeof value !== 'string') {
    throw new DtError('DT_ANNOTATION_INVALID', `annotation "${key}" of ${fileName} is not valid: it is not a text`);
  }
  return parseImagesAnnotation(value, key, fileName);
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

function columnOf(text: string, scalar: YamlScalar): number {
  const start = startOf(scalar);
  const lineStart = start === 0 ? 0 : text.lastIndexOf('\n', start - 1) + 1;
  return start - lineStart - (text.charCodeAt(lineStart) === 0xfeff ? 1 : 0);
}
