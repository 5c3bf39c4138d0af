import { DtError } from '../errors.ts';
import { MAX_YAML_DEPTH } from './parse-yaml.ts';
import { readYamlTree, resolveYamlScalar } from './read-yaml-tree.ts';
import { dereference, effectiveEntries, type YamlNode, type YamlTree } from './yaml-tree.ts';

const MAX_NODES = 1_000_000;

/**
 * The value of the first document of a text as Helm reads it where YAML says that it is wrong: of a repeated key the last
 * counts, and lines of a flow collection need no indentation. Throws DT_YAML_INVALID.
 */
export function readLenientValue(text: string, name: string): unknown {
  const tree = readYamlTree(text, name);
  const [root] = tree.roots;
  return root === undefined ? undefined : toValue(tree, root, { nodes: 0 }, 0);
}

function toValue(tree: YamlTree, node: YamlNode, count: { nodes: number }, depth: number): unknown {
  if (++count.nodes > MAX_NODES || depth > MAX_YAML_DEPTH) {
    throw new DtError('DT_YAML_INVALID', `${tree.name} is refused: its aliases stand for too many nodes`);
  }
  const target = dereference(node);
  switch (target.kind) {
    case 'scalar':
      return resolveYamlScalar(tree, target.eventIndex);
    case 'sequence':
      return target.items.map((item) => toValue(tree, item, count, depth + 1));
    case 'map':
      return Object.fromEntries(
        [...effectiveEntries(target)].map(([key, { pair }]) => [key, toValue(tree, pair.value, count, depth + 1)]),
      );
  }
}
