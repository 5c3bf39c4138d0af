import { decodeYamlTextExactly } from './parse-yaml.ts';
import { readYamlTree } from './read-yaml-tree.ts';
import type { YamlTree } from './yaml-tree.ts';

/** Parses the bytes of a YAML file for editing; the text keeps a byte order mark. Throws DT_YAML_INVALID. */
export function readYamlBytes(bytes: Uint8Array, name: string): YamlTree {
  return readYamlTree(decodeYamlTextExactly(bytes, name), name);
}

/** The bytes of an edited text; the given bytes themselves if nothing changed. */
export function encodeEditedYaml(tree: YamlTree, text: string, bytes: Uint8Array): Uint8Array {
  return text === tree.text ? bytes : new TextEncoder().encode(text);
}
