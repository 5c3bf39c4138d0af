import { redactSecrets } from '../domain/redact.ts';
import { sanitizeText } from './sanitize-text.ts';

/** Blanks that every level of nesting adds. */
export const INDENTATION = 3;

const SHORT_DIGEST_LENGTH = 'sha256:'.length + 12;

/** The symbols in front of a line. */
export const SYMBOLS = {
  section: '»',
  done: '✔',
  failed: '✘',
  running: '…',
  warning: '⚠',
  success: '🎉',
  question: '?',
} as const;

/** One line of the report: indented by its level, symbol first, text made safe for a terminal. Without a line end. */
export function formatLine(level: number, symbol: string, text: string): string {
  return `${' '.repeat(level * INDENTATION)} ${symbol}  ${toSafeText(text)}`;
}

/** A line without a symbol. */
export function formatItem(level: number, text: string): string {
  return formatLine(level, ' ', text);
}

/** As much of a digest as people need to tell two apart. */
export function shortenDigest(digest: string): string {
  return digest.slice(0, SHORT_DIGEST_LENGTH);
}

/** One line of text without control characters and secrets. */
export function toSafeText(text: string): string {
  return redactSecrets(sanitizeText(text));
}
