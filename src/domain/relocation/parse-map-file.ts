import { DtError, isDtError } from '../errors.ts';
import { readYamlTree, resolveYamlScalar } from '../yaml/read-yaml-tree.ts';
import { dereference, type YamlMap, type YamlNode, type YamlTree } from '../yaml/yaml-tree.ts';
import { locateNode } from './relocation-change.ts';
import { parseRelocationMapping, type RelocationMapping } from './relocation-mapping.ts';

/** Every image is compared with every mapping. */
const MAX_MAPPINGS = 10_000;
const KEYS = ['from', 'to'] as const;

/**
 * The mappings of a map file: a list of `{from, to}` in YAML or JSON, the first that matches an image counts. Throws
 * DT_CONFIG_INVALID with the line of what is wrong.
 */
export function parseMapFile(text: string, name: string): readonly RelocationMapping[] {
  const tree = readTree(text, name);
  const [root, ...others] = tree.roots;
  const list = root === undefined ? undefined : dereference(root);
  if (list?.kind !== 'sequence' || list.items.length === 0 || others.length > 0) {
    throw new DtError(
      'DT_CONFIG_INVALID',
      `${name} is not a map file: it has to be one list of mappings with from and to`,
    );
  }
  if (list.items.length > MAX_MAPPINGS) {
    throw new DtError('DT_CONFIG_INVALID', `${name} has more than ${String(MAX_MAPPINGS)} mappings`);
  }
  return list.items.map((item) => readMapping(tree, item));
}

function readTree(text: string, name: string): YamlTree {
  try {
    return readYamlTree(text, name);
  } catch (error) {
    if (!isDtError(error, 'DT_YAML_INVALID')) throw error;
    throw new DtError('DT_CONFIG_INVALID', error.message, { cause: error });
  }
}

function readMapping(tree: YamlTree, item: YamlNode): RelocationMapping {
  const map = dereference(item);
  if (map.kind !== 'map') throw invalid(tree, item, 'a mapping has from and to');
  for (const [index, { key, keyText }] of map.pairs.entries()) {
    if (!KEYS.some((known) => known === keyText)) {
      throw invalid(
        tree,
        key,
        `a mapping has from and to, but not ${keyText === undefined ? 'such a key' : `"${keyText}"`}`,
      );
    }
    if (map.pairs.findIndex((pair) => pair.keyText === keyText) !== index) {
      throw invalid(tree, key, `"${keyText ?? ''}" is there twice`);
    }
  }
  const [from, to] = KEYS.map((key) => readText(tree, map, key));
  try {
    return parseRelocationMapping(from ?? '', to ?? '');
  } catch (error) {
    if (!isDtError(error, 'DT_CONFIG_INVALID')) throw error;
    throw invalid(tree, item, error.message);
  }
}

function readText(tree: YamlTree, map: YamlMap, key: (typeof KEYS)[number]): string {
  const value = map.pairs.find(({ keyText }) => keyText === key)?.value;
  if (value === undefined) throw invalid(tree, map, `a mapping needs ${key}`);
  const scalar = dereference(value);
  const text = scalar.kind === 'scalar' ? resolveYamlScalar(tree, scalar.eventIndex) : undefined;
  if (typeof text !== 'string') throw invalid(tree, value, `${key} is not a text`);
  return text;
}

function invalid(tree: YamlTree, node: YamlNode, what: string): DtError {
  const { file, line } = locateNode(tree, firstScalar(node));
  return new DtError('DT_CONFIG_INVALID', `${file} is not a map file: ${what} (line ${String(line)})`);
}

/** Only scalars know where they stand. */
function firstScalar(node: YamlNode): YamlNode {
  const child = node.kind === 'map' ? node.pairs[0]?.key : node.kind === 'sequence' ? node.items[0] : undefined;
  return child === undefined ? node : firstScalar(child);
}
