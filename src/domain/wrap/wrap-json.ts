import { DtError } from '../errors.ts';
import { MAX_WRAP_DOCUMENT_BYTES, MAX_WRAP_DOCUMENT_MARKS, requireWithinLimit } from './wrap-limits.ts';

const MARKS = new Set(['[', '{', ',', ':'].map((mark) => mark.charCodeAt(0)));

/** A document that lies in a wrap may have this size and as many values. Throws DT_LIMIT_EXCEEDED. */
export function requireBoundedJson(bytes: Uint8Array, name: string): void {
  requireWithinLimit(bytes.length, MAX_WRAP_DOCUMENT_BYTES, name, 'bytes');
  requireWithinLimit(countMarks(bytes), MAX_WRAP_DOCUMENT_MARKS, name, 'values');
}

/** How many bytes separate values of JSON, also those that stand in texts: no document has more values. */
export function countMarks(bytes: Uint8Array): number {
  let marks = 0;
  for (const byte of bytes) if (MARKS.has(byte)) marks++;
  return marks;
}

/** Parses JSON that lies in a wrap. Throws DT_WRAP_INVALID naming the entry, DT_LIMIT_EXCEEDED. */
export function parseJson(bytes: Uint8Array, name: string): unknown {
  requireBoundedJson(bytes, name);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw new DtError('DT_WRAP_INVALID', `${name} in the wrap is not JSON`, { cause: error });
  }
}
