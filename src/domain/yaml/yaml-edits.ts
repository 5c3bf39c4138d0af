import { escapeForStyle, formatNewScalar, spliceText, type TextSplice, createRangeMapper } from './yaml-scalar-text.ts';
import { dereference, type YamlAlias, type YamlPair, type YamlScalar, type YamlTree } from './yaml-tree.ts';

/** One change of a YAML text. Everything outside of what it names stays as it is, byte for byte. */
export type YamlEdit =
  /** Gives a scalar another value and keeps its style; in a block scalar the blanks around the content stay. */
  | { readonly kind: 'set-scalar'; readonly scalar: YamlScalar; readonly value: string }
  /** Replaces ranges of the decoded text of a scalar; they begin and end with characters that are not blank. */
  | { readonly kind: 'splice-scalar'; readonly scalar: YamlScalar; readonly splices: readonly TextSplice[] }
  /** Puts a plain value into the place of an alias of a scalar. */
  | { readonly kind: 'set-alias'; readonly alias: YamlAlias; readonly value: string }
  /** Adds a pair to a map, in front of another one; several in front of the same one stand in the order given. */
  | { readonly kind: 'insert-pair'; readonly before: YamlPair; readonly key: string; readonly value: string }
  /** Adds a pair to a map, behind another one with a scalar on one line; what follows it on the line stays there. */
  | { readonly kind: 'append-pair'; readonly after: YamlPair; readonly key: string; readonly value: string };

/** An edit worked out for one text: what to splice, and what must be read at its place afterwards. */
export interface PlannedEdit {
  readonly eventIndex: number;
  readonly splices: readonly TextSplice[];
  readonly outcome:
    | { readonly kind: 'scalar' | 'plain-for-alias'; readonly value: string }
    | { readonly kind: 'inserted'; readonly texts: readonly string[] };
}

/** Works an edit out; undefined if the text has no room for it or if it lies below a repeated key. */
export function planYamlEdit(tree: YamlTree, edit: YamlEdit): PlannedEdit | undefined {
  switch (edit.kind) {
    case 'set-scalar':
      return edit.scalar.isAmbiguous ? undefined : planScalar(tree, edit.scalar, edit.value);
    case 'splice-scalar':
      return edit.scalar.isAmbiguous ? undefined : planSplices(tree, edit.scalar, edit.splices);
    case 'set-alias':
      return edit.alias.isAmbiguous ? undefined : planAlias(edit.alias, edit.value);
    case 'insert-pair':
      return planInsertion(tree, edit.before, edit.key, edit.value);
    case 'append-pair':
      return planAppending(tree, edit.after, edit.key, edit.value);
  }
}

function planScalar(tree: YamlTree, scalar: YamlScalar, value: string): PlannedEdit | undefined {
  if (scalar.start === -1) return planEmptyScalar(tree, scalar, value);
  if (scalar.style === 'literal' || scalar.style === 'folded') {
    const content = scalar.text.trim();
    const start = scalar.text.indexOf(content);
    return planSplices(tree, scalar, [{ start, end: start + content.length, replacement: value }]);
  }
  const isNewStyle = scalar.style === 'plain';
  const text = isNewStyle ? formatNewScalar(value, scalar.isInFlow) : escapeForStyle(value, scalar.style);
  if (text === undefined) return undefined;
  const splices = [{ start: scalar.start, end: scalar.end, replacement: text }];
  return { eventIndex: scalar.eventIndex, splices, outcome: { kind: 'scalar', value } };
}

function planEmptyScalar(tree: YamlTree, scalar: YamlScalar, value: string): PlannedEdit | undefined {
  if (scalar.insertAt === -1) return undefined;
  const text = formatNewScalar(value, scalar.isInFlow);
  // `key: ` at the end of a line already has the blank.
  const hasBlank = /^ (?:\r|\n|$)/.test(tree.text.slice(scalar.insertAt, scalar.insertAt + 2));
  const start = hasBlank ? scalar.insertAt + 1 : scalar.insertAt;
  const splices = [{ start, end: start, replacement: hasBlank ? text : ` ${text}` }];
  return { eventIndex: scalar.eventIndex, splices, outcome: { kind: 'scalar', value } };
}

function planSplices(tree: YamlTree, scalar: YamlScalar, splices: readonly TextSplice[]): PlannedEdit | undefined {
  const planned: TextSplice[] = [];
  const toSource = createRangeMapper(tree.text, scalar);
  for (const splice of splices) {
    const range = toSource(splice);
    const replacement =
      scalar.style === 'literal'
        ? indentLines(splice.replacement, scalar.indent, lineEndOf(tree.text))
        : escapeForStyle(splice.replacement, scalar.style);
    if (range === undefined || replacement === undefined) return undefined;
    planned.push({ ...range, replacement });
  }
  const value = spliceText(scalar.text, splices);
  return { eventIndex: scalar.eventIndex, splices: planned, outcome: { kind: 'scalar', value } };
}

function planAlias(alias: YamlAlias, value: string): PlannedEdit | undefined {
  if (dereference(alias).kind !== 'scalar') return undefined;
  const replacement = formatNewScalar(value, alias.isInFlow);
  const splices = [{ start: alias.start, end: alias.end, replacement }];
  return { eventIndex: alias.eventIndex, splices, outcome: { kind: 'plain-for-alias', value } };
}

function planInsertion(tree: YamlTree, before: YamlPair, key: string, value: string): PlannedEdit | undefined {
  const { key: next } = before;
  if (next.kind !== 'scalar' || next.start === -1 || next.isAmbiguous) return undefined;
  const start = startOf(next);
  const pair = `${formatNewScalar(key, next.isInFlow)}: ${formatNewScalar(value, next.isInFlow)}`;
  const column = start - lineStartOf(tree.text, start);
  const separator = next.isInFlow ? ', ' : lineEndOf(tree.text) + ' '.repeat(column);
  const splices = [{ start, end: start, replacement: pair + separator }];
  return { eventIndex: next.eventIndex, splices, outcome: { kind: 'inserted', texts: [key, value] } };
}

function planAppending(tree: YamlTree, after: YamlPair, key: string, value: string): PlannedEdit | undefined {
  const { key: name, value: last } = after;
  if (name.kind !== 'scalar' || last.kind !== 'scalar' || last.isAmbiguous || name.start === -1) return undefined;
  if (last.start === -1 || last.style === 'literal' || last.style === 'folded') return undefined;
  const pair = `${formatNewScalar(key, name.isInFlow)}: ${formatNewScalar(value, name.isInFlow)}`;
  const end = isQuoted(last) ? last.end + 1 : last.end;
  const start = name.isInFlow ? end : lineEndFrom(tree.text, end);
  const column = startOf(name) - lineStartOf(tree.text, startOf(name));
  const replacement = name.isInFlow ? `, ${pair}` : lineEndOf(tree.text) + ' '.repeat(column) + pair;
  const splices = [{ start, end: start, replacement }];
  // The new pair is read right before whatever follows the value.
  return { eventIndex: last.eventIndex + 1, splices, outcome: { kind: 'inserted', texts: [key, value] } };
}

function isQuoted({ style }: YamlScalar): boolean {
  return style === 'single-quoted' || style === 'double-quoted';
}

/** Where a scalar begins, its quote included. */
export function startOf(scalar: YamlScalar): number {
  return isQuoted(scalar) ? scalar.start - 1 : scalar.start;
}

function indentLines(text: string, indent: number, lineEnd: string): string {
  return text.split('\n').join(lineEnd + ' '.repeat(Math.max(indent, 0)));
}

/** How the text ends its lines. */
export function lineEndOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}

function lineStartOf(text: string, offset: number): number {
  const start = offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1;
  return text.charCodeAt(start) === 0xfeff ? start + 1 : start;
}

/** The end of the line that the offset lies in. */
export function lineEndFrom(text: string, offset: number): number {
  const end = /[\r\n]/.exec(text.slice(offset))?.index;
  return end === undefined ? text.length : offset + end;
}
