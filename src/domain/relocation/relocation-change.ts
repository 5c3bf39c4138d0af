import type { YamlEdit } from '../yaml/yaml-edits.ts';
import { formatYamlPath, type YamlNode, type YamlPair, type YamlTree } from '../yaml/yaml-tree.ts';

/** One scalar that a relocation rewrote. */
export interface RelocationChange {
  /** Relative to the chart; for a packed subchart the path goes on behind the name of its archive. */
  readonly file: string;
  readonly line: number;
  /** Where in the document, for instance `image.registry`. */
  readonly path: string;
  /** The old text; empty where there was none. */
  readonly from: string;
  readonly to: string;
}

/** An image that was found but could not be rewritten in place, for instance below a repeated key. */
export interface RelocationRefusal {
  readonly file: string;
  readonly line: number;
  readonly path: string;
  /** The image as `registry/repository[:tag][@digest]`. */
  readonly image: string;
}

/** `FILE:LINE PATH`, without the path where there is none. */
export function describePlace({ file, line, path }: Pick<RelocationChange, 'file' | 'line' | 'path'>): string {
  return [`${file}:${String(line)}`, path].filter((part) => part !== '').join(' ');
}

/** File, line and path of a node, for reports. */
export function locateNode(
  tree: YamlTree,
  node: YamlNode,
): { readonly file: string; readonly line: number; readonly path: string } {
  let offset = 0;
  if (node.kind === 'scalar') offset = node.start === -1 ? Math.max(node.insertAt, 0) : node.start;
  else if (node.kind === 'alias') offset = node.start;
  return { file: tree.name, line: tree.lines.lineOf(offset), path: formatYamlPath(node.path) };
}

/** What an edit that was applied has changed; undefined for ranges of a scalar, which their maker reports. */
export function toChange(tree: YamlTree, edit: YamlEdit): RelocationChange | undefined {
  switch (edit.kind) {
    case 'set-scalar':
      return { ...locateNode(tree, edit.scalar), from: edit.scalar.text.trim(), to: edit.value };
    case 'set-alias': {
      const { target } = edit.alias;
      return { ...locateNode(tree, edit.alias), from: target.kind === 'scalar' ? target.text : '', to: edit.value };
    }
    case 'insert-pair':
      return toAddition(tree, edit.before, edit.key, edit.value);
    case 'append-pair':
      return toAddition(tree, edit.after, edit.key, edit.value);
    case 'splice-scalar':
      return undefined;
  }
}

function toAddition(tree: YamlTree, neighbour: YamlPair, key: string, value: string): RelocationChange {
  const place = locateNode(tree, neighbour.key);
  return { ...place, path: place.path === '' ? key : `${place.path}.${key}`, from: '', to: value };
}
