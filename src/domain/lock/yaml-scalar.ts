import { isGoYamlText } from './yaml-resolve.ts';

// YAML 1.1 reads these as booleans; the Go library quotes them for the sake of old readers.
const OLD_BOOLEANS: ReadonlySet<string> = new Set(
  ['y', 'yes', 'on', 'n', 'no', 'off'].flatMap((word) => [word, word.toUpperCase(), capitalize(word)]),
);
// The base 60 numbers of YAML 1.1, such as 1:30.
const BASE_60_PATTERN = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/;

/** Characters that start something else than a plain scalar. */
const LEADING_INDICATOR_PATTERN = /^[#,[\]{}&*!|>'"%@`]|^[?:-](?: |$)|^---|^\.\.\./;
const INNER_INDICATOR_PATTERN = /:(?: |$)| #/;

/** What the Go library calls printable; emoji and other characters beyond U+FFFF are not. */
const UNPRINTABLE_PATTERN = /[^\n\u0020-\u007e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/u;
const LINE_BREAK_PATTERN = /[\n\u2028\u2029]/;
const ESCAPED_PATTERN = /["\\\n\u2028\u2029]|[^\u0020-\u007e\u00a0-\ud7ff\ue000-\ufefe\uff00-\ufffd]/gu;

const SHORT_ESCAPES: ReadonlyMap<string, string> = new Map([
  ['\0', '0'],
  ['\u0007', 'a'],
  ['\b', 'b'],
  ['\t', 't'],
  ['\n', 'n'],
  ['\v', 'v'],
  ['\f', 'f'],
  ['\r', 'r'],
  ['\u001b', 'e'],
  ['"', '"'],
  ['\\', '\\'],
  ['\u0085', 'N'],
  ['\u2028', 'L'],
  ['\u2029', 'P'],
]);

/**
 * A text as a YAML scalar on one line, in the style that Go's yaml.v3 chooses: plain where that reads back as a text,
 * double quotes around what would read as another type, single quotes around what has indicators. One exception: a text
 * with a line break is double-quoted here, while the Go library writes a block.
 */
export function formatYamlScalar(text: string): string {
  if (LINE_BREAK_PATTERN.test(text) || UNPRINTABLE_PATTERN.test(text)) return quoteDouble(text);
  if (!isGoYamlText(text) || OLD_BOOLEANS.has(text) || BASE_60_PATTERN.test(text)) return quoteDouble(text);
  const isPlain =
    !text.startsWith(' ') &&
    !text.endsWith(' ') &&
    !LEADING_INDICATOR_PATTERN.test(text) &&
    !INNER_INDICATOR_PATTERN.test(text);
  return isPlain ? text : `'${text.replaceAll("'", "''")}'`;
}

function quoteDouble(text: string): string {
  return `"${text.replaceAll(ESCAPED_PATTERN, escapeCharacter)}"`;
}

function escapeCharacter(character: string): string {
  const short = SHORT_ESCAPES.get(character);
  if (short !== undefined) return `\\${short}`;
  const hex = (character.codePointAt(0) ?? 0).toString(16).toUpperCase();
  if (hex.length <= 2) return `\\x${hex.padStart(2, '0')}`;
  return hex.length <= 4 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

function capitalize(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
