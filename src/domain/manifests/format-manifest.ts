import { formatCarvelBody, PlainScalar, type CarvelMap, type CarvelValue } from '../carvel/format-carvel-yaml.ts';
import { isNullValue, type YamlTable, type YamlText, type YamlValue } from '../yaml/yaml-value.ts';
import { isYamlString } from './manifest-document.ts';

/**
 * An object as kbld prints it: keys sorted, no comments, lists not indented. A scalar that was written plain stays as it was written,
 * as readers do not agree on what `0644` or `N` is.
 */
export function formatManifest(value: YamlTable): string {
  return formatCarvelBody(toCarvelMap(value));
}

/** A value as the keys of a map in block style. */
export function toCarvelMap({ pairs }: YamlTable): CarvelMap {
  return Object.fromEntries([...pairs].map(([name, { value }]) => [name, toCarvelValue(value)]));
}

/** A value on one line, as Go writes JSON; also what stands in a flow collection of YAML. Scalars written plain stay plain. */
export function formatCompact(value: YamlValue): string {
  switch (value.kind) {
    case 'text':
      return isYamlString(value) ? quoteJson(value.text) : formatPlain(value);
    case 'list':
      return `[${value.items.map(formatCompact).join(',')}]`;
    case 'table': {
      const pairs = [...value.pairs].toSorted(([left], [right]) => (left < right ? -1 : 1));
      return `{${pairs.map(([name, entry]) => `${quoteJson(name)}:${formatCompact(entry.value)}`).join(',')}}`;
    }
  }
}

export function toCarvelValue(value: YamlValue): CarvelValue {
  switch (value.kind) {
    case 'text':
      return value.text.includes('\n') || !value.isPlain ? toScalar(value) : new PlainScalar(formatPlain(value));
    case 'list':
      return value.items.map(toCarvelValue);
    case 'table':
      return toCarvelMap(value);
  }
}

function toScalar({ text, tag }: YamlText): string | PlainScalar {
  return tag === '' ? text : new PlainScalar(`${tag} ${JSON.stringify(text)}`);
}

function formatPlain(value: YamlText): string {
  if (isNullValue(value)) return 'null';
  return value.tag === '' ? value.text : `${value.tag} ${value.text}`;
}

/** Go writes these characters so that the text can stand in HTML. */
function quoteJson(text: string): string {
  return JSON.stringify(text).replaceAll(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
