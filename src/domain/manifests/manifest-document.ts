import { DtError, isDtError } from '../errors.ts';
import { isGoYamlText } from '../lock/yaml-resolve.ts';
import { readYamlTree } from '../yaml/read-yaml-tree.ts';
import { dereference, type YamlNode, type YamlTree } from '../yaml/yaml-tree.ts';
import { isNullValue, readYamlValue, type YamlTable, type YamlText, type YamlValue } from '../yaml/yaml-value.ts';
import { splitDocuments, type DocumentText } from './split-documents.ts';

/** Of an input with manifests; cluster backups are larger, and nothing to lock. */
export const MAX_MANIFEST_BYTES = 64 * 1024 * 1024;

/** A document of YAML, in its place in a file. */
export interface ManifestDocument<Value extends YamlValue = YamlTable> {
  /** What messages call the file. */
  readonly file: string;
  readonly tree: YamlTree;
  /** What the text holds: one root, or more where `...` ends a document; none if there are comments only. */
  readonly roots: readonly DocumentRoot<Value>[];
}

export interface DocumentRoot<Value extends YamlValue = YamlTable> {
  readonly node: YamlNode;
  readonly value: Value;
}

/** Every document of a text. Throws DT_YAML_INVALID with file and line for one that is broken. */
export function readDocuments(text: string, file: string): ManifestDocument<YamlValue>[] {
  return splitDocuments(text).map((document) => {
    const tree = readTree(document, file);
    const roots = tree.roots.map((node) => ({ node, value: readYamlValue(tree, node) }));
    return { file, tree, roots: roots.filter(({ value }) => !isEmptyRoot(value)) };
  });
}

/** Every document of a file with Kubernetes objects. Throws as `readDocuments`, also for a document that is no object. */
export function readManifestDocuments(text: string, file: string): ManifestDocument[] {
  let firstLine = 1;
  return readDocuments(text, file).map(({ tree, roots }) => {
    const objects = roots.map(({ node, value }): DocumentRoot => {
      if (value.kind === 'table') return { node, value };
      const line = firstLine + tree.lines.lineOf(startOf(node)) - 1;
      const what = value.kind === 'list' ? 'a list' : 'a text';
      throw new DtError('DT_YAML_INVALID', `${file} is not valid: ${what} is no object (line ${String(line)})`);
    });
    firstLine += tree.text.split('\n').length - 1;
    return { file, tree, roots: objects };
  });
}

/** True for a document without content, which nobody misses. */
export function isEmptyRoot(value: YamlValue): boolean {
  return isNullValue(value) || (value.kind === 'table' && value.pairs.size === 0);
}

/** The text of a field, if it is one. */
export function readField({ pairs }: YamlTable, key: string): string | undefined {
  const field = pairs.get(key)?.value;
  return field?.kind === 'text' ? field.text : undefined;
}

/** A value as those of JSON, for readers of configuration. */
export function toPlainValue(value: YamlValue): unknown {
  switch (value.kind) {
    case 'text':
      return isYamlString(value) ? value.text : readPlainScalar(value);
    case 'list':
      return value.items.map(toPlainValue);
    case 'table':
      return toPlainTable(value);
  }
}

export function toPlainTable({ pairs }: YamlTable): Record<string, unknown> {
  return Object.fromEntries([...pairs].map(([name, { value }]) => [name, toPlainValue(value)]));
}

/** True for a scalar that every reader of Kubernetes takes for a text. */
export function isYamlString({ text, isPlain, tag }: YamlText): boolean {
  return !isPlain || (tag === '' && isGoYamlText(text));
}

function readPlainScalar(scalar: YamlText): unknown {
  if (isNullValue(scalar)) return null;
  if (/^true$/i.test(scalar.text)) return true;
  if (/^false$/i.test(scalar.text)) return false;
  const number = Number(scalar.text);
  return Number.isFinite(number) ? number : scalar.text;
}

function readTree({ text, firstLine }: DocumentText, file: string): YamlTree {
  try {
    return readYamlTree(text, file);
  } catch (error) {
    if (!isDtError(error, 'DT_YAML_INVALID') || firstLine === 1) throw error;
    // Read again where it stands in the file, for the line in the message.
    return readYamlTree('\n'.repeat(firstLine - 1) + text, file);
  }
}

/** Only scalars know where they stand. */
function startOf(node: YamlNode): number {
  const target = dereference(node);
  if (target.kind === 'scalar') return Math.max(target.start, 0);
  const child = target.kind === 'map' ? target.pairs[0]?.key : target.items[0];
  return child === undefined ? 0 : startOf(child);
}
