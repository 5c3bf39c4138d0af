import { formatCarvelLines } from '../carvel/format-carvel-yaml.ts';
import { isDtError } from '../errors.ts';
import { readYamlTree } from '../yaml/read-yaml-tree.ts';
import { lineEndOf, planYamlEdit, startOf, type YamlEdit } from '../yaml/yaml-edits.ts';
import { spliceText, type TextSplice } from '../yaml/yaml-scalar-text.ts';
import { dereference, effectiveEntries, type YamlMap, type YamlNode, type YamlTree } from '../yaml/yaml-tree.ts';
import { readYamlValue, type YamlTable, type YamlText, type YamlValue } from '../yaml/yaml-value.ts';
import { formatCompact, toCarvelMap } from './format-manifest.ts';
import { isEmptyRoot, isYamlString, type ManifestDocument } from './manifest-document.ts';

/**
 * The text of a document in which its roots read as the given values: texts that differ are replaced and new keys put in, all else
 * stays byte for byte. Undefined where that cannot be done in place: the result is read again, so none is wrong.
 */
export function editDocument(
  { tree, roots }: ManifestDocument<YamlValue>,
  values: readonly YamlValue[],
): string | undefined {
  const editor = new ValueEditor(tree);
  for (const [index, { node, value }] of roots.entries()) {
    const wanted = values[index];
    if (wanted === undefined || !editor.change(node, value, wanted)) return undefined;
  }
  if (editor.isUnchanged) return tree.text;
  const text = editor.apply();
  return readsAs(text, tree.name, values) ? text : undefined;
}

class ValueEditor {
  readonly #tree: YamlTree;
  /** What stands behind an anchor is met more than once. */
  readonly #splices = new Map<string, TextSplice>();

  constructor(tree: YamlTree) {
    this.#tree = tree;
  }

  get isUnchanged(): boolean {
    return this.#splices.size === 0;
  }

  apply(): string {
    return spliceText(this.#tree.text, [...this.#splices.values()]);
  }

  /** Makes a node read as another value; false if it has no room for that. */
  change(node: YamlNode, before: YamlValue, after: YamlValue): boolean {
    if (before === after) return true;
    const target = dereference(node);
    if (after.kind === 'text') return before.kind === 'text' && this.#setText(node, after);
    if (after.kind === 'list') {
      return (
        before.kind === 'list' &&
        target.kind === 'sequence' &&
        after.items.every((item, index) => this.#changeMember(target.items[index], before.items[index], item))
      );
    }
    if (before.kind === 'text') return this.#fillNull(node, after);
    return before.kind === 'table' && target.kind === 'map' && this.#changeTable(target, before, after);
  }

  #changeMember(node: YamlNode | undefined, before: YamlValue | undefined, after: YamlValue): boolean {
    return node !== undefined && before !== undefined && this.change(node, before, after);
  }

  #changeTable(map: YamlMap, before: YamlTable, after: YamlTable): boolean {
    const entries = effectiveEntries(map);
    const added = new Map([...after.pairs].filter(([name]) => !before.pairs.has(name)));
    if (added.size > 0 && !this.#insert(map, { kind: 'table', pairs: added })) return false;
    return [...after.pairs].every(
      ([name, { value }]) =>
        added.has(name) || this.#changeMember(entries.get(name)?.pair.value, before.pairs.get(name)?.value, value),
    );
  }

  #setText(node: YamlNode, { text }: YamlText): boolean {
    if (node.kind !== 'scalar' && node.kind !== 'alias') return false;
    const edit: YamlEdit =
      node.kind === 'alias'
        ? { kind: 'set-alias', alias: node, value: text }
        : // The blanks around the content of a block stay.
          { kind: 'set-scalar', scalar: node, value: node.indent === -1 ? text : text.trim() };
    const planned = planYamlEdit(this.#tree, edit);
    for (const splice of planned?.splices ?? []) this.#splice(splice);
    return planned !== undefined;
  }

  /** `metadata:` with nothing behind it. */
  #fillNull(node: YamlNode, table: YamlTable): boolean {
    if (node.kind !== 'scalar') return false;
    const isEmpty = node.start === -1;
    const start = isEmpty ? node.insertAt : node.start;
    if (start === -1) return false;
    this.#splice({ start, end: isEmpty ? start : node.end, replacement: ` ${formatCompact(table)}` });
    return true;
  }

  /** Puts keys in front of those of a map. */
  #insert(map: YamlMap, added: YamlTable): boolean {
    const [first] = map.pairs;
    if (map.isFlow) {
      const event = this.#tree.events[map.eventIndex];
      if (event === undefined || !('start' in event) || this.#tree.text[event.start] !== '{') return false;
      const start = event.start + 1;
      this.#splice({
        start,
        end: start,
        replacement: formatCompact(added).slice(1, -1) + (first === undefined ? '' : ', '),
      });
      return true;
    }
    if (first?.key.kind !== 'scalar' || first.key.start === -1) return false;
    const start = startOf(first.key);
    const column = start - (this.#tree.text.lastIndexOf('\n', start - 1) + 1);
    const indent = ' '.repeat(column);
    const lines = formatCarvelLines(toCarvelMap(added), indent);
    const replacement = [...lines, indent].join(lineEndOf(this.#tree.text)).slice(column);
    this.#splice({ start, end: start, replacement });
    return true;
  }

  #splice(splice: TextSplice): void {
    this.#splices.set(JSON.stringify(splice), splice);
  }
}

function readsAs(text: string, name: string, values: readonly YamlValue[]): boolean {
  try {
    const tree = readYamlTree(text, name);
    const roots = tree.roots.map((root) => readYamlValue(tree, root)).filter((root) => !isEmptyRoot(root));
    return roots.length === values.length && roots.every((root, index) => isSame(root, values[index]));
  } catch (error) {
    if (isDtError(error, 'DT_YAML_INVALID')) return false;
    throw error;
  }
}

function isSame(left: YamlValue, right: YamlValue | undefined): boolean {
  if (left === right) return true;
  if (left.kind === 'text' && right?.kind === 'text') {
    if (left.text !== right.text) return false;
    return isYamlString(left) ? isYamlString(right) : left.isPlain === right.isPlain && left.tag === right.tag;
  }
  if (left.kind === 'list' && right?.kind === 'list') {
    return (
      left.items.length === right.items.length && left.items.every((item, index) => isSame(item, right.items[index]))
    );
  }
  if (left.kind !== 'table' || right?.kind !== 'table' || left.pairs.size !== right.pairs.size) return false;
  return [...left.pairs].every(([name, { value }]) => isSame(value, right.pairs.get(name)?.value));
}
