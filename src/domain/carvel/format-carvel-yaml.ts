import { formatYamlScalar } from '../lock/yaml-scalar.ts';

/** What the files of the Carvel tools are made of. Fields that are undefined are left out. */
export type CarvelValue = string | boolean | readonly CarvelValue[] | CarvelMap;

export interface CarvelMap {
  readonly [key: string]: CarvelValue | undefined;
}

/** Text that a block would not give back as it is: it starts with a blank or has characters that need escapes. */
const BLOCK_HOSTILE_PATTERN = /^[ \n]|[^\n\u0020-\u007e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/u;

/**
 * The text of a file as imgpkg and kbld write theirs: keys sorted, lists not indented under their key, texts of several lines
 * as blocks, and `---` in front.
 */
export function formatCarvelYaml(document: CarvelMap): string {
  return `${['---', ...formatMap(document, '')].join('\n')}\n`;
}

function formatMap(map: CarvelMap, indent: string): string[] {
  return Object.keys(map)
    .sort(compareBytes)
    .flatMap((key) => {
      const value = map[key];
      return value === undefined ? [] : formatPair(`${indent}${formatYamlScalar(key)}:`, value, indent);
    });
}

function formatPair(key: string, value: CarvelValue, indent: string): string[] {
  if (typeof value === 'boolean') return [`${key} ${String(value)}`];
  if (typeof value === 'string') return formatText(key, value, `${indent}  `);
  if (isList(value)) return value.length === 0 ? [`${key} []`] : [key, ...formatList(value, indent)];
  const lines = formatMap(value, `${indent}  `);
  return lines.length === 0 ? [`${key} {}`] : [key, ...lines];
}

function formatList(items: readonly CarvelValue[], indent: string): string[] {
  return items.flatMap((item) => {
    if (typeof item === 'object' && !isList(item)) {
      const [first = `${indent}  {}`, ...others] = formatMap(item, `${indent}  `);
      return [`${indent}- ${first.slice(indent.length + 2)}`, ...others];
    }
    return formatPair(`${indent}-`, item, indent);
  });
}

function formatText(key: string, text: string, indent: string): string[] {
  if (!text.includes('\n') || BLOCK_HOSTILE_PATTERN.test(text)) return [`${key} ${formatYamlScalar(text)}`];
  const body = text.replace(/\n+$/, '');
  const endingLines = text.length - body.length;
  const chomping = endingLines === 0 ? '-' : endingLines === 1 ? '' : '+';
  const lines = [...body.split('\n'), ...Array.from({ length: Math.max(endingLines - 1, 0) }, () => '')];
  return [`${key} |${chomping}`, ...lines.map((line) => (line === '' ? '' : indent + line))];
}

function isList(value: CarvelValue): value is readonly CarvelValue[] {
  return Array.isArray(value);
}

function compareBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
