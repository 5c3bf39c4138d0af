import { storedContentBytes } from '../../archive/gzip-member.ts';
import { hasGzipHeader, readStoredMember } from '../../archive/stored-member.ts';
import type { StoredMember } from '../../archive/stored-member.ts';
import { tarPaddingBytes, type TarHeader } from '../../archive/tar-header.ts';
import { checkWholeHeader, inflateWholeMember, walkWholeMember } from '../../archive/whole-member.ts';
import { MAX_TAR_HEADER_BYTES, type WrapReader } from '../../archive/wrap-reader.ts';
import { MAX_SMALL_MEMBER_BYTES } from '../../archive/wrap-plan.ts';
import { DtError, isDtError } from '../../domain/errors.ts';
import type { TocMember } from '../../domain/wrap/table-of-contents.ts';
import type { DamageList } from '../../domain/wrap/wrap-damage.ts';
import { pathInTopFolder, WRAP_TOC_PATH } from '../../domain/wrap/wrap-document.ts';
import {
  MAX_LAST_MEMBER_BYTES,
  MAX_SMALL_ENTRIES,
  MAX_SMALL_ENTRIES_BYTES,
  requireWithinLimit,
} from '../../domain/wrap/wrap-limits.ts';
import type { WrapFile } from './wrap-content.ts';

/** A file that is a member of its own. */
export interface LargeFile extends WrapFile {
  readonly stored: StoredMember;
  /** The length of its tar header. */
  readonly headerBytes: number;
}

/**
 * The headers of all files of one of our own wraps, in the order of the archive; no bytes are kept. Members that are not as the format has
 * them go to the damages. Throws system errors, DT_LIMIT_EXCEEDED for too many small files, DT_INTERRUPTED.
 */
export async function readMembers(
  reader: WrapReader,
  damages: DamageList,
  signal: AbortSignal,
): Promise<(WrapFile | LargeFile)[]> {
  const files: (WrapFile | LargeFile)[] = [];
  const members = reader.listMembers();
  const last = members.at(-1);
  const small = { entries: 0, bytes: 0 };
  for (const member of members) {
    signal.throwIfAborted();
    const { path, offset } = member;
    try {
      if (path !== undefined) files.push(await readLargeHeader(reader, member, path));
      else if (member === last) await readLastMember(reader, member, files, damages);
      else await readSmallMember(reader, member, small, files, damages);
    } catch (error) {
      if (!isDtError(error)) throw error;
      if (path === undefined) {
        damages.add(error.code, `the member of small entries at byte ${String(offset)} is damaged: ${error.message}`);
      } else damages.add(error.code, `the member of the entry is damaged: ${error.message}`, { entry: path });
    }
    requireWithinLimit(small.bytes, MAX_SMALL_ENTRIES_BYTES, reader.path, 'bytes of small entries');
    requireWithinLimit(small.entries, MAX_SMALL_ENTRIES, reader.path, 'small entries');
  }
  return files;
}

async function readSmallMember(
  reader: WrapReader,
  member: TocMember,
  count: { entries: number; bytes: number },
  files: WrapFile[],
  damages: DamageList,
): Promise<void> {
  const content = await inflateMember(reader, member, MAX_SMALL_MEMBER_BYTES);
  count.bytes += content.length;
  for (const entry of walkWholeMember(content, { isLast: false })) {
    const { bytes } = entry;
    count.entries++;
    if (entry.type === 'link')
      damages.add('DT_UNSAFE_ENTRY', 'the entry is a link before the last member', { entry: entry.path });
    const place = { member, start: bytes.byteOffset - content.byteOffset, sizeBytes: bytes.length };
    files.push({ ...toWrapFile(entry), ...(entry.type === 'file' ? { place } : {}) });
  }
}

/** Only what unpacks a wrap looks at the links in its last member; whoever reads it by its table of contents finds nothing else there. */
async function readLastMember(
  reader: WrapReader,
  member: TocMember,
  files: WrapFile[],
  damages: DamageList,
): Promise<void> {
  for (const entry of walkWholeMember(await inflateMember(reader, member, MAX_LAST_MEMBER_BYTES), { isLast: true })) {
    const isExpected =
      entry.type === 'link' || (entry.type === 'file' && pathInTopFolder(entry.path) === WRAP_TOC_PATH);
    if (!isExpected) {
      damages.add('DT_WRAP_INVALID', 'the entry lies among the links, where nobody looks for it', {
        entry: entry.path,
      });
    }
    files.push(toWrapFile(entry));
  }
}

function toWrapFile(entry: TarHeader): WrapFile {
  const { path, mode, sizeBytes, linkTarget } = entry;
  return { path, type: entry.type as WrapFile['type'], mode, sizeBytes, linkTarget };
}

async function inflateMember(reader: WrapReader, { offset, length }: TocMember, limitBytes: number): Promise<Buffer> {
  return inflateWholeMember(await readMember(reader, { offset, length }, 2 * limitBytes), limitBytes);
}

async function readMember(reader: WrapReader, { offset, length }: TocMember, limitBytes: number): Promise<Buffer> {
  if (length > limitBytes) throw new DtError('DT_LIMIT_EXCEEDED', 'it is larger than the format allows');
  const buffer = Buffer.alloc(length);
  if ((await reader.file.read([buffer], offset)) !== length)
    throw new DtError('DT_WRAP_TRUNCATED', 'the file ends in it');
  return buffer;
}

async function readLargeHeader(reader: WrapReader, { offset, length }: TocMember, path: string): Promise<LargeFile> {
  const contentBytes = storedContentBytes(length);
  if (contentBytes === undefined) throw invalid('its length is not that of a stored entry');
  if (!(await hasGzipHeader(reader.file, offset))) throw invalid('its gzip header is not the one of a wrap');
  const stored = { offset, contentBytes };
  const chunks: Buffer[] = [];
  const headEnd = Math.min(MAX_TAR_HEADER_BYTES, contentBytes);
  for await (const chunk of readStoredMember(reader.file, stored, 0, headEnd)) chunks.push(chunk);
  const header = checkWholeHeader(Buffer.concat(chunks));
  const { headerBytes, sizeBytes } = header;
  if (header.path !== path) throw invalid(`the table of contents names it so, its own header ${header.path}`);
  if (header.type !== 'file' || headerBytes + sizeBytes + tarPaddingBytes(sizeBytes) !== contentBytes) {
    throw invalid('it holds something else than one file');
  }
  const { mode, linkTarget } = header;
  return { path, type: 'file', mode, sizeBytes, linkTarget, stored, headerBytes };
}

function invalid(why: string): DtError {
  return new DtError('DT_WRAP_INVALID', why);
}
