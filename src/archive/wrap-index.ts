import { basename } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { DtError, systemErrorCode } from '../domain/errors.ts';
import { parseTableOfContents, type TableOfContents } from '../domain/wrap/table-of-contents.ts';
import { pathInTopFolder, WRAP_DOCUMENT_PATH, WRAP_TOC_PATH } from '../domain/wrap/wrap-document.ts';
import { MAX_LAST_MEMBER_BYTES, requireWithinLimit } from '../domain/wrap/wrap-limits.ts';
import { FOOTER_BYTES, inflatedChunkBytes, parseFooter } from './gzip-member.ts';
import { readFirstEntryPath } from './partial-wrap.ts';
import type { SegmentedFile } from './segmented-file.ts';
import { walkTarBuffer, type TarBufferEntry } from './tar-buffer.ts';
import type { OpenWrapFile } from './wrap-file.ts';

/** Holds the header of the first entry, deflated or not. */
const START_BYTES = 64 * 1024;

export interface WrapIndex {
  readonly toc: TableOfContents;
  /** Where the member with the table starts. */
  readonly tocOffset: number;
}

/**
 * Reads footer and table of contents. Undefined for a file without a footer. Throws DT_WRAP_INVALID, DT_LIMIT_EXCEEDED, DT_WRAP_INCOMPLETE for
 * parts that start like a wrap of ours and do not end like one.
 */
export async function readWrapIndex(opened: OpenWrapFile): Promise<WrapIndex | undefined> {
  const { path, file, sizeBytes } = opened;
  const footerOffset = sizeBytes - FOOTER_BYTES;
  const tocOffset = footerOffset < 0 ? undefined : parseFooter(await readExactly(file, footerOffset, FOOTER_BYTES));
  if (tocOffset === undefined) {
    await requireEnd(opened);
    return undefined;
  }
  if (tocOffset >= footerOffset) throw damagedWrap('its footer points outside of the file');
  const lastBytes = footerOffset - tocOffset;
  requireWithinLimit(lastBytes, MAX_LAST_MEMBER_BYTES, path, 'bytes of links and table of contents');
  const last = inflateMember(await readExactly(file, tocOffset, lastBytes), MAX_LAST_MEMBER_BYTES);
  let entry: TarBufferEntry | undefined;
  // One at a time: there may be a hundred thousand links.
  for (entry of walkTarBuffer(last));
  if (entry === undefined || pathInTopFolder(entry.path) !== WRAP_TOC_PATH)
    throw damagedWrap('it has no table of contents');
  return { toc: parseTableOfContents(entry.bytes, tocOffset), tocOffset };
}

/** A wrap of ours without a footer was cut off; of parts, the last are missing. Throws DT_WRAP_INCOMPLETE. */
async function requireEnd({ path, file, parts }: OpenWrapFile): Promise<void> {
  const last = parts.at(-1);
  if (last === undefined || !(await startsLikeWrap(file))) return;
  throw new DtError(
    'DT_WRAP_INCOMPLETE',
    `the end of ${path} is missing: ${basename(last.path)} is not its last part, or is cut`,
    { hints: ['bring all parts, and the file with their checksums, into one folder'] },
  );
}

/** Throws DT_WRAP_TRUNCATED if the file ends there. */
export async function readExactly(file: SegmentedFile, offset: number, sizeBytes: number): Promise<Buffer> {
  const buffer = Buffer.alloc(sizeBytes);
  if ((await file.read([buffer], offset)) !== sizeBytes)
    throw new DtError('DT_WRAP_TRUNCATED', 'the wrap is shorter than it says');
  return buffer;
}

/** What a deflated member holds. Throws DT_LIMIT_EXCEEDED, DT_WRAP_INVALID. */
export function inflateMember(member: Buffer, maxOutputLength: number): Buffer {
  try {
    return gunzipSync(member, { maxOutputLength, chunkSize: inflatedChunkBytes(member, maxOutputLength) });
  } catch (error) {
    if (systemErrorCode(error) === 'ERR_BUFFER_TOO_LARGE') {
      throw new DtError('DT_LIMIT_EXCEEDED', 'a member of the wrap is larger than the format allows', { cause: error });
    }
    throw new DtError('DT_WRAP_INVALID', 'the wrap is damaged: a member does not decompress', { cause: error });
  }
}

/** The error for a wrap that is not as its format has it. */
export function damagedWrap(why: string): DtError {
  return new DtError('DT_WRAP_INVALID', `the wrap is damaged: ${why}`);
}

async function startsLikeWrap(file: SegmentedFile): Promise<boolean> {
  const start = Buffer.alloc(START_BYTES);
  const path = readFirstEntryPath(start.subarray(0, await file.read([start], 0)));
  return path !== undefined && pathInTopFolder(path) === WRAP_DOCUMENT_PATH;
}
