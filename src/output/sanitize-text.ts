import { stripVTControlCharacters } from 'node:util';

/** C0, DEL and C1 controls but tab and line feed; marks that reorder text; line and paragraph separators. */
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** Text that a terminal prints as it stands: no escape sequences, no control characters. Lines and tabs stay. */
export function sanitizeLines(text: string): string {
  return stripVTControlCharacters(text.replaceAll('\r\n', '\n')).replace(UNSAFE, '');
}

/** Like `sanitizeLines`, as one line: every run of line ends and tabs becomes one blank. */
export function sanitizeText(text: string): string {
  return sanitizeLines(text.replace(/[\r\n\t]+/g, ' '));
}

/** A document of `--json`: what a terminal would take for more than text is written as an escape, and means the same. */
export function formatJson(document: object): string {
  return JSON.stringify(document, null, 2).replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
