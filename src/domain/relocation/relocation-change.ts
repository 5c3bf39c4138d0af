import { formatYamlPath, lineOfOffset, type YamlNode, type YamlTree } from '../yaml/yaml-tree.ts';

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

/** File, line and path of a node, for reports. */
export function locateNode(
  tree: YamlTree,
  node: YamlNode,
): { readonly file: string; readonly line: number; readonly path: string } {
  let offset = 0;
  if (node.kind === 'scalar') offset = node.start === -1 ? Math.max(node.insertAt, 0) : node.start;
  else if (node.kind === 'alias') offset = node.start;
  return { file: tree.name, line: lineOfOffset(tree.text, offset), path: formatYamlPath(node.path) };
}
