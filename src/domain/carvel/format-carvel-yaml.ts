import { formatYamlScalar } from '../lock/yaml-scalar.ts';
import { compareGoKeys } from './compare-go-keys.ts';

/** A scalar that is no text, or that other readers may not take for one: it is written as it stands. */
export class PlainScalar {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** What the files of the Carvel tools are made of. Fields that are undefined are left out. */
export type CarvelValue = string | boolean | null | PlainScalar | readonly CarvelValue[] | CarvelMap;

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
  return `---\n${formatCarvelBody(document)}`;
}

/** The same without the first line, for a map or a list inside of something else. */
export function formatCarvelBody(content: CarvelMap | readonly CarvelValue[]): string {
  const lines = isList(content) ? formatList(content, '') : formatCarvelLines(content, '');
  return lines.length === 0 ? `${isList(content) ? '[]' : '{}'}\n` : `${lines.join('\n')}\n`;
}

/** The lines of a map, each behind an indentation. */
export function formatCarvelLines(map: CarvelMap, indent: string): string[] {
  return Object.keys(map)
    .sort(compareGoKeys)
    .flatMap((key) => {
      const value = map[key];
      return value === undefined ? [] : formatPair(`${indent}${formatYamlScalar(key)}:`, value, indent);
    });
}

function formatPair(key: string, value: CarvelValue, indent: string): string[] {
  if (typeof value === 'boolean' || value === null) return [`${key} ${String(value)}`];
  if (value instanceof PlainScalar) return [`${key} ${value.text}`];
  if (typeof value === 'string') return formatText(key, value, `${indent}  `);
  if (isList(value)) return value.length === 0 ? [`${key} []`] : [key, ...formatList(value, indent)];
  const lines = formatCarvelLines(value, `${indent}  `);
  return lines.length === 0 ? [`${key} {}`] : [key, ...lines];
}

function formatList(items: readonly CarvelValue[], indent: string): string[] {
  return items.flatMap((item) => {
    const [first, ...others] = formatItem(item, `${indent}  `);
    // A collection begins on the line of its dash.
    if (first !== undefined) return [`${indent}- ${first.slice(indent.length + 2)}`, ...others];
    return formatPair(`${indent}-`, item, indent);
  });
}

/** The lines of an item that is a collection and not empty. */
function formatItem(item: CarvelValue, indent: string): string[] {
  if (typeof item !== 'object' || item === null || item instanceof PlainScalar) return [];
  return isList(item) ? formatList(item, indent) : formatCarvelLines(item, indent);
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
