import type { ByteRange } from './registry-backend.ts';

const RANGE_PATTERN = /^bytes=(\d{0,15})-(\d{0,15})$/;
const CONTENT_RANGE_PATTERN = /^(\d{1,15})-(\d{1,15})$/;

/**
 * Reads a `Range` header against a size in bytes. Undefined means the whole content: no header, another unit,
 * several ranges or a range that is not well-formed. https://www.rfc-editor.org/rfc/rfc9110#section-14.2
 */
export function parseRangeHeader(
  header: string | undefined,
  sizeBytes: number,
): ByteRange | 'unsatisfiable' | undefined {
  const match = header === undefined ? null : RANGE_PATTERN.exec(header);
  const [, first = '', last = ''] = match ?? [];
  if (match === null || (first === '' && last === '')) return undefined;
  if (first === '') {
    const suffixBytes = Math.min(Number(last), sizeBytes);
    return suffixBytes === 0 ? 'unsatisfiable' : { start: sizeBytes - suffixBytes, end: sizeBytes - 1 };
  }
  const start = Number(first);
  const end = last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  if (last !== '' && Number(last) < start) return undefined;
  return start >= sizeBytes ? 'unsatisfiable' : { start, end };
}

/**
 * Reads the `Content-Range` of a chunk, which has its own form, `START-END`.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-a-blob-in-chunks
 */
export function parseChunkRange(header: string): ByteRange | undefined {
  const [, first, last] = CONTENT_RANGE_PATTERN.exec(header) ?? [];
  if (first === undefined || last === undefined || Number(last) < Number(first)) return undefined;
  return { start: Number(first), end: Number(last) };
}
