import { applyYamlEdits } from '../yaml/apply-yaml-edits.ts';
import { lineEndFrom, lineEndOf, startOf, type YamlEdit } from '../yaml/yaml-edits.ts';
import { formatNewScalar } from '../yaml/yaml-scalar-text.ts';
import type { YamlMap, YamlPair, YamlScalar, YamlTree } from '../yaml/yaml-tree.ts';

/** An entry of an images annotation. */
export interface AnnotatedImage {
  readonly image: string;
  readonly name: string;
}

/** One annotation as it is to be. */
export interface Annotation {
  readonly key: string;
  /** All entries. */
  readonly images: readonly AnnotatedImage[];
  /** Those that it does not have yet. */
  readonly missing: readonly AnnotatedImage[];
}

export const ANNOTATIONS = 'annotations';
const INDENT = 2;
/** The first entry of a list in block style. */
const DASH = /^( *)-(?:\s|$)/m;

/** The text with the annotation in the ways that there are, the best one first; whether one reads as it should is not checked. */
export function* proposeTexts(tree: YamlTree, annotation: Annotation): Generator<string | undefined> {
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
  const [, dashIndent] = DASH.exec(value.text) ?? [];
  if (value.style === 'literal' && dashIndent !== undefined) {
    const last = value.text.trimEnd().length - 1;
    const replacement = [value.text.charAt(last), ...formatEntries(annotation.missing, dashIndent)].join('\n');
    const splices = [{ start: last, end: last + 1, replacement }];
    yield applyEdit(tree, { kind: 'splice-scalar', scalar: value, splices });
  }
  const lines = listEntries(value.text, annotation);
  if (!value.isInFlow && value.style === 'folded') yield replaceFolded(tree, key, value, lines);
  if (!value.isInFlow && value.style !== 'folded' && value.style !== 'literal') {
    yield replaceByLiteral(tree, key, value, lines);
  }
  yield applyEdit(tree, { kind: 'set-scalar', scalar: value, value: lines.join('\n') });
  const list = extendFlowList(value.text, annotation);
  if (list === undefined) return;
  if (!value.isInFlow && value.style === 'folded') yield replaceFolded(tree, key, value, list.trimEnd().split('\n'));
  yield applyEdit(tree, { kind: 'set-scalar', scalar: value, value: list });
}

/** The list as a block: what is there as it is written, if it is one already. */
function listEntries(text: string, { images, missing }: Annotation): readonly string[] {
  const [, dashIndent] = DASH.exec(text) ?? [];
  return dashIndent === undefined
    ? formatEntries(images, '')
    : [...text.trimEnd().split('\n'), ...formatEntries(missing, dashIndent)];
}

/** A list in brackets, for entries that have more than image and name. */
function extendFlowList(text: string, { missing }: Annotation): string | undefined {
  const [, list = '', end = ''] = /^(.*[^\s,])[\s,]*(\]\s*)$/s.exec(text) ?? [];
  const entries = missing.map(({ image, name }) => `{image: ${JSON.stringify(image)}, name: ${JSON.stringify(name)}}`);
  return end === '' ? undefined : [list, ...entries].join(', ') + end;
}

/** Writes `|` in the place of a value; the list follows below the line. */
function replaceByLiteral(
  tree: YamlTree,
  key: YamlScalar,
  { start, end, insertAt, style }: YamlScalar,
  lines: readonly string[],
): string | undefined {
  const quote = style === 'plain' ? 0 : 1;
  const [from, to] = start === -1 ? [insertAt, insertAt] : [start - quote, end + quote];
  if (from === -1) return undefined;
  const lineEnd = lineEndFrom(tree.text, to);
  const before = tree.text.slice(0, from).replace(/[ \t]*$/, ' ');
  const below = indentLines(lines, columnOf(tree.text, key) + INDENT);
  return [`${before}|${tree.text.slice(to, lineEnd)}`, ...below].join(lineEndOf(tree.text)) + tree.text.slice(lineEnd);
}

/** Writes `|` in the place of `>`, and the lines in the place of those that were folded; blank lines behind them stay. */
function replaceFolded(
  { text }: YamlTree,
  key: YamlScalar,
  { start, end, indent }: YamlScalar,
  lines: readonly string[],
): string | undefined {
  const [header, before, chomping = ''] =
    /^(["']?[ \t]*:[^#\r\n>]*)>[0-9]?([-+]?)[0-9]?/.exec(text.slice(key.end, start)) ?? [];
  if (header === undefined || before === undefined) return undefined;
  const restOfLine = text.slice(key.end + header.length, start);
  const content = indentLines(lines, indent).join(lineEndOf(text));
  const contentEnd = start + text.slice(start, end).trimEnd().length;
  return `${text.slice(0, key.end)}${before}|${chomping}${restOfLine}${content}${text.slice(contentEnd)}`;
}

function indentLines(lines: readonly string[], indent: number): readonly string[] {
  return lines.map((line) => (line === '' ? line : ' '.repeat(indent) + line));
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

function columnOf(text: string, scalar: YamlScalar): number {
  const start = startOf(scalar);
  const lineStart = start === 0 ? 0 : text.lastIndexOf('\n', start - 1) + 1;
  return start - lineStart - (text.charCodeAt(lineStart) === 0xfeff ? 1 : 0);
}
