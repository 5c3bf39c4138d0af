import { COLLECTION_STYLE, FAILSAFE_SCHEMA, type Node, present, SCALAR_STYLE } from 'js-yaml';
import type { YamlText, YamlValue } from './yaml-value.ts';

const UNLIMITED_WIDTH = -1;

/** Writes a value as one YAML document in block style. What was plain is plain again, all else is in double quotes. */
export function formatYaml(value: YamlValue): string {
  // By this schema every plain text is a string, so that none gets quotes that it did not have.
  return present([{ contents: toNode(value), directives: [] }], {
    schema: FAILSAFE_SCHEMA,
    lineWidth: UNLIMITED_WIDTH,
  });
}

function toNode(value: YamlValue): Node {
  const base = { tagged: false, style: COLLECTION_STYLE.BLOCK };
  switch (value.kind) {
    case 'text':
      return toScalar(value);
    case 'list':
      return { ...base, kind: 'sequence', tag: 'tag:yaml.org,2002:seq', items: value.items.map(toNode) };
    case 'table': {
      const items = [...value.pairs.values()].map(({ key, value: inner }) => ({
        key: toScalar(key),
        value: toNode(inner),
      }));
      return { ...base, kind: 'mapping', tag: 'tag:yaml.org,2002:map', items };
    }
  }
}

function toScalar({ text, isPlain, tag }: YamlText): Node {
  const style = isPlain ? SCALAR_STYLE.PLAIN : SCALAR_STYLE.DOUBLE_QUOTED;
  const tagged = tag !== '';
  return { kind: 'scalar', value: text, style, tagged, tag: tagged ? tag : 'tag:yaml.org,2002:str' };
}
