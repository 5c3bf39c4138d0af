import { resolveYamlScalar } from '../yaml/read-yaml-tree.ts';
import { formatYamlPath, type YamlNode, type YamlScalar, type YamlTree } from '../yaml/yaml-tree.ts';
import type { MarkPlace } from './image-origin.ts';
import { listHeads, nameOf } from './reference-heads.ts';

/** A values file of the chart, a subchart or from outside. */
export interface ValuesText {
  /** Key of the file in a set of changes. */
  readonly file: string;
  readonly tree: YamlTree;
}

/** A scalar of a values file that can be marked. */
export interface ValueMark extends MarkPlace {
  readonly tree: YamlTree;
  readonly scalar: YamlScalar;
  /** Offset in the decoded text of the scalar; undefined where the mark becomes the whole value. */
  readonly start: number | undefined;
}

const REGISTRY_KEY = /(?:registry|hub|repository|repo|host|prefix|domain)$/i;
/** A text may list the images of many runtimes; a generated one could repeat a name without end. */
const MAX_MARKS_IN_TEXT = 500;

/** The scalars that hold the head of a rendered reference, whole or inside of a longer text. */
export function findValueMarks(texts: readonly ValuesText[], references: readonly string[]): readonly ValueMark[] {
  const heads = new Set(references.flatMap(listHeads));
  const names = [...new Set(references.flatMap((text) => (nameOf(text).includes('/') ? [nameOf(text)] : [text])))];
  return texts.flatMap(({ file, tree }) =>
    [...walkScalars(tree.roots)].flatMap((scalar) => {
      const start = scalar.text.length - scalar.text.trimStart().length;
      const text = scalar.text.trim();
      if (text === '' || scalar.isAmbiguous) return [];
      if (heads.has(text)) return [markAt(file, tree, scalar, start, text, 'value')];
      const literal = /^[^{\s]+(?=\{\{)/.exec(text)?.[0].replace(/[:@/-]$/, '') ?? '';
      if (heads.has(literal)) return [markAt(file, tree, scalar, start, literal, 'text')];
      return findInside(scalar.text, names).map(({ offset, name }) => markAt(file, tree, scalar, offset, name, 'text'));
    }),
  );
}

/** Empty scalars under keys that ask for a registry or a repository. */
export function findEmptyMarks(texts: readonly ValuesText[]): readonly ValueMark[] {
  return texts.flatMap(({ file, tree }) =>
    [...walkScalars(tree.roots)].flatMap((scalar) => {
      const key = scalar.path.findLast((part) => typeof part === 'string');
      if (typeof key !== 'string' || !REGISTRY_KEY.test(key) || scalar.isAmbiguous) return [];
      const value = resolveYamlScalar(tree, scalar.eventIndex);
      if (value !== null && value !== '') return [];
      const origin = { kind: 'empty' as const, ...locate(tree, scalar), file, text: '' };
      return [{ file, tree, origin, scalar, start: undefined }];
    }),
  );
}

/** All scalar values of documents; what an alias stands for is met where its anchor is. */
export function* walkScalars(nodes: readonly YamlNode[]): Generator<YamlScalar> {
  for (const node of nodes) {
    if (node.kind === 'scalar') yield node;
    else if (node.kind === 'sequence') yield* walkScalars(node.items);
    else if (node.kind === 'map') yield* walkScalars(node.pairs.map(({ value }) => value));
  }
}

/** Where names of references stand in a longer text, each as a whole word. */
export function findInside(text: string, names: readonly string[]): { offset: number; name: string }[] {
  const found = new Map<number, string>();
  for (const name of names) {
    for (let at = text.indexOf(name); at !== -1 && found.size < MAX_MARKS_IN_TEXT; at = text.indexOf(name, at + 1)) {
      const isWord = !/[\w./@-]/.test(text[at - 1] ?? ' ') && !/[\w/.-]/.test(text[at + name.length] ?? ' ');
      if (isWord && (found.get(at) ?? '').length < name.length) found.set(at, name);
    }
  }
  return [...found].map(([offset, name]) => ({ offset, name }));
}

function markAt(
  file: string,
  tree: YamlTree,
  scalar: YamlScalar,
  start: number,
  text: string,
  kind: 'value' | 'text',
): ValueMark {
  return { file, tree, scalar, start, origin: { kind, ...locate(tree, scalar, start), file, text } };
}

function locate(tree: YamlTree, scalar: YamlScalar, start = 0): { line: number; path: string } {
  const offset = scalar.start === -1 ? Math.max(scalar.insertAt, 0) : scalar.start;
  const isBlock = scalar.style === 'literal' || scalar.style === 'folded';
  const inside = isBlock ? scalar.text.slice(0, start).split('\n').length - 1 : 0;
  return { line: tree.lines.lineOf(offset) + inside, path: formatYamlPath(scalar.path) };
}
