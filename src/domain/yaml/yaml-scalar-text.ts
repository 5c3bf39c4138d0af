import { load, YAML11_SCHEMA, CORE_SCHEMA } from 'js-yaml';
import type { YamlScalar, YamlStyle } from './yaml-tree.ts';

/** Replaces the range of a text by another text. */
export interface TextSplice {
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
}

/** Applies splices, given in any order, that do not overlap. */
export function spliceText(text: string, splices: readonly TextSplice[]): string {
  const parts: string[] = [];
  let offset = 0;
  for (const splice of splices.toSorted((left, right) => left.start - right.start)) {
    parts.push(text.slice(offset, splice.start), splice.replacement);
    offset = splice.end;
  }
  parts.push(text.slice(offset));
  return parts.join('');
}

/** Writes a value as a scalar of its own: plain where every YAML reader takes it for that string, else in double quotes. */
export function formatNewScalar(value: string, isInFlow: boolean): string {
  return isPlainString(value, isInFlow) ? value : `"${escapeDoubleQuoted(value)}"`;
}

/** Writes text inside the quotes, or the plain text, of an existing scalar; undefined where the style has no way to write it. */
export function escapeForStyle(text: string, style: YamlStyle): string | undefined {
  if (style === 'double-quoted') return escapeDoubleQuoted(text);
  if (/[\r\n]/.test(text)) return undefined;
  return style === 'single-quoted' ? text.replaceAll("'", "''") : text;
}

function escapeDoubleQuoted(text: string): string {
  // JSON strings are a subset of double-quoted scalars.
  return JSON.stringify(text).slice(1, -1);
}

/** Helm reads YAML 1.1, other tools read 1.2: `on`, `1_000` or `12:30` are strings in one of them only. */
function isPlainString(value: string, isInFlow: boolean): boolean {
  if (value === '' || /[\r\n]/.test(value)) return false;
  const text = isInFlow ? `[${value}]` : `- ${value}\n`;
  try {
    return [CORE_SCHEMA, YAML11_SCHEMA].every((schema) => {
      const parsed = load(text, { schema });
      return Array.isArray(parsed) && parsed.length === 1 && parsed[0] === value;
    });
  } catch {
    return false;
  }
}

/** One decoded character that is not blank, with the range that spells it in the source. */
interface Unit {
  readonly char: string;
  readonly start: number;
  readonly end: number;
}

/** A part of a text. */
interface TextRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Carries ranges of the decoded text of a scalar over to the source. Folding, indentation and line ends only ever
 * change blanks, so the n-th character that is not blank is the same on both sides. Both ends of a range must be such
 * characters; the answer to one whose ends are not, and to all if the two sides do not match, is undefined.
 */
export function createRangeMapper(source: string, scalar: YamlScalar): (range: TextRange) => TextRange | undefined {
  const units = scalar.start === -1 ? [] : readUnits(source, scalar);
  const offsets = [...nonBlankOffsets(scalar.text)];
  const isSame =
    units.length === offsets.length && units.every((unit, index) => unit.char === scalar.text[offsets[index] ?? -1]);
  const byOffset = new Map(isSame ? offsets.map((offset, index) => [offset, units[index]]) : []);
  return ({ start, end }) => {
    const [first, last] = [byOffset.get(start), byOffset.get(end - 1)];
    if (end <= start || first === undefined || last === undefined) return undefined;
    return { start: first.start, end: last.end };
  };
}

function isBlank(char: string): boolean {
  return char === ' ' || char === '\t' || char === '\n' || char === '\r';
}

function* nonBlankOffsets(text: string): Generator<number> {
  for (let offset = 0; offset < text.length; offset++) if (!isBlank(text[offset] ?? ' ')) yield offset;
}

function readUnits(source: string, scalar: YamlScalar): readonly Unit[] {
  const units: Unit[] = [];
  let offset = scalar.start;
  while (offset < scalar.end) {
    const char = source[offset] ?? '';
    if (scalar.style === 'double-quoted' && char === '\\') {
      const escape = readEscape(source, offset);
      for (const decoded of escape.text)
        if (!isBlank(decoded)) units.push({ char: decoded, start: offset, end: escape.end });
      offset = escape.end;
    } else {
      const end = offset + (scalar.style === 'single-quoted' && char === "'" ? 2 : 1);
      if (!isBlank(char)) units.push({ char, start: offset, end });
      offset = end;
    }
  }
  return units;
}

const HEX_ESCAPES: ReadonlyMap<string, number> = new Map([
  ['x', 2],
  ['u', 4],
  ['U', 8],
]);

/** The escapes that spell no blank and differ from their own letter; see https://yaml.org/spec/1.2.2/#57-escaped-characters */
const LETTER_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['0', '\0'],
  ['a', '\x07'],
  ['b', '\b'],
  ['t', '\t'],
  ['n', '\n'],
  ['v', '\v'],
  ['f', '\f'],
  ['r', '\r'],
  ['e', '\x1b'],
  ['N', '\x85'],
  ['_', '\xa0'],
  ['L', '\u2028'],
  ['P', '\u2029'],
]);

function readEscape(source: string, offset: number): { readonly text: readonly string[]; readonly end: number } {
  const letter = source[offset + 1] ?? '';
  const digits = HEX_ESCAPES.get(letter);
  if (digits === undefined) return { text: [LETTER_ESCAPES.get(letter) ?? letter], end: offset + 2 };
  const end = offset + 2 + digits;
  const codePoint = Number.parseInt(source.slice(offset + 2, end), 16);
  // A code point beyond Unicode then matches nothing, so the edit is refused.
  const decoded = codePoint <= 0x10ffff ? String.fromCodePoint(codePoint) : '';
  return { text: decoded.split(''), end };
}
