import { DtError } from '../errors.ts';
import { WRAP_TOC_PATH } from './wrap-document.ts';
import { parseJson } from './wrap-json.ts';
import { MAX_TOC_BYTES, requireWithinLimit } from './wrap-limits.ts';

/** A gzip member of the wrap file. */
export interface TocMember {
  /** Where the member starts in the file. */
  readonly offset: number;
  /** Its length in the file, gzip header and trailer included. */
  readonly length: number;
  /** The one large entry that is stored in it. Absent: a deflated member of small entries. */
  readonly path?: string;
}

/** `.dt/toc.json`: member offsets only; what lies in a member is checked against its tar headers. */
export interface TableOfContents {
  readonly members: readonly TocMember[];
}

/** The bytes of `.dt/toc.json`. Throws DT_LIMIT_EXCEEDED for a table that `parseTableOfContents` would refuse. */
export function formatTableOfContents(toc: TableOfContents): Buffer {
  const members = toc.members.map(({ offset, length, path }) =>
    path === undefined ? [offset, length] : [offset, length, path],
  );
  const bytes = Buffer.from(`${JSON.stringify({ members })}\n`);
  requireWithinLimit(bytes.length, MAX_TOC_BYTES, WRAP_TOC_PATH, 'bytes');
  return bytes;
}

/** The least that a member takes in the file for each bracket in the table: its own, and those in the path of a large entry. */
const MIN_BYTES_PER_BRACKET = 16;
const OPENING_BRACKET = 0x5b;

/**
 * Reads `.dt/toc.json`. Members must lie behind each other without gaps from the start of the file to `endOffset`,
 * the member that holds the table itself. Throws DT_WRAP_INVALID, DT_LIMIT_EXCEEDED.
 */
export function parseTableOfContents(bytes: Uint8Array, endOffset: number): TableOfContents {
  const invalid = (why: string): DtError =>
    new DtError('DT_WRAP_INVALID', `${WRAP_TOC_PATH} in the wrap is not valid: ${why}`);
  requireWithinLimit(bytes.length, MAX_TOC_BYTES, WRAP_TOC_PATH, 'bytes');
  // Told before it is parsed: millions of members would take much memory.
  let brackets = 0;
  for (const byte of bytes) if (byte === OPENING_BRACKET) brackets++;
  if ((brackets - 1) * MIN_BYTES_PER_BRACKET > endOffset)
    throw invalid('it has more members than the file has room for');
  const document = parseJson(bytes, WRAP_TOC_PATH) as { members?: unknown } | null;
  if (!Array.isArray(document?.members)) throw invalid('it has no members');
  let expectedOffset = 0;
  const members = document.members.map((item: unknown): TocMember => {
    if (!Array.isArray(item)) throw invalid('a member is not a list');
    const [offset, length, path] = item as unknown[];
    if (offset !== expectedOffset) throw invalid('members do not follow each other');
    if (typeof length !== 'number' || !Number.isSafeInteger(length) || length <= 0)
      throw invalid('a member has no length');
    expectedOffset += length;
    if (path === undefined) return { offset, length };
    if (typeof path !== 'string') throw invalid('a path is not a text');
    return { offset, length, path };
  });
  if (expectedOffset !== endOffset) throw invalid('members do not fill the file');
  return { members };
}
