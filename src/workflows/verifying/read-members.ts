import { storedContentBytes } from '../../archive/gzip-member.ts';
import { hasGzipHeader, readStoredMember } from '../../archive/stored-member.ts';
import type { StoredMember } from '../../archive/stored-member.ts';
import { tarPaddingBytes } from '../../archive/tar-header.ts';
import { checkWholeHeader, inflateWholeMember, walkWholeMember } from '../../archive/whole-member.ts';
import {
  MAX_LAST_MEMBER_BYTES,
  MAX_SMALL_ENTRIES_BYTES,
  MAX_TAR_HEADER_BYTES,
  type WrapReader,
} from '../../archive/wrap-reader.ts';
import { MAX_SMALL_MEMBER_BYTES } from '../../archive/wrap-plan.ts';
import { DtError, isDtError } from '../../domain/errors.ts';
import type { TocMember } from '../../domain/wrap/table-of-contents.ts';
import type { DamageList } from '../../domain/wrap/wrap-damage.ts';
import type { WrapFile } from './wrap-content.ts';

/** A file that is a member of its own. */
export interface LargeFile extends WrapFile {
  readonly stored: StoredMember;
  /** The length of its tar header. */
  readonly headerBytes: number;
}

/**
 * The headers of all files of one of our own wraps, in the order of the archive, and the bytes of the small ones. Members that are not
 * as the format has them go to the damages. Throws system errors, DT_LIMIT_EXCEEDED for too many small files, DT_INTERRUPTED.
 */
export async function readMembers(
  reader: WrapReader,
  damages: DamageList,
  signal: AbortSignal,
): Promise<(WrapFile | LargeFile)[]> {
  const files: (WrapFile | LargeFile)[] = [];
  const members = reader.listMembers();
  let smallBytes = 0;
  for (const [index, member] of members.entries()) {
    signal.throwIfAborted();
    const { path, offset } = member;
    try {
      if (path === undefined) {
        const isLast = index === members.length - 1;
        const limitBytes = isLast ? MAX_LAST_MEMBER_BYTES : MAX_SMALL_MEMBER_BYTES;
        const content = inflateWholeMember(await readMember(reader, member, 2 * limitBytes), limitBytes);
        smallBytes += content.length;
        if (smallBytes > MAX_SMALL_ENTRIES_BYTES) break;
        for (const entry of walkWholeMember(content, { isLast })) files.push(toWrapFile(entry));
      } else files.push(await readLargeHeader(reader, member, path));
    } catch (error) {
      if (!isDtError(error)) throw error;
      if (path === undefined) {
        damages.add(error.code, `the member of small entries at byte ${String(offset)} is damaged: ${error.message}`);
      } else damages.add(error.code, `the member of the entry is damaged: ${error.message}`, { entry: path });
    }
  }
  if (smallBytes > MAX_SMALL_ENTRIES_BYTES) {
    throw new DtError(
      'DT_LIMIT_EXCEEDED',
      `${reader.path} has more than ${String(MAX_SMALL_ENTRIES_BYTES)} bytes of small entries`,
    );
  }
  return files;
}

type HeaderFields = Pick<WrapFile, 'path' | 'mode' | 'sizeBytes' | 'linkTarget'> & { readonly type: string };

function toWrapFile(entry: HeaderFields & { readonly bytes: Buffer }): WrapFile {
  const { path, mode, sizeBytes, linkTarget, bytes } = entry;
  return { path, type: entry.type as WrapFile['type'], mode, sizeBytes, linkTarget, bytes };
}

async function readMember(reader: WrapReader, { offset, length }: TocMember, limitBytes: number): Promise<Buffer> {
  if (length > limitBytes) throw new DtError('DT_LIMIT_EXCEEDED', 'it is larger than the format allows');
  const { buffer, bytesRead } = await reader.handle.read(Buffer.alloc(length), 0, length, offset);
  if (bytesRead !== length) throw new DtError('DT_WRAP_TRUNCATED', 'the file ends in it');
  return buffer;
}

async function readLargeHeader(reader: WrapReader, { offset, length }: TocMember, path: string): Promise<LargeFile> {
  const contentBytes = storedContentBytes(length);
  if (contentBytes === undefined) throw invalid('its length is not that of a stored entry');
  if (!(await hasGzipHeader(reader.handle, offset))) throw invalid('its gzip header is not the one of a wrap');
  const stored = { offset, contentBytes };
  const chunks: Buffer[] = [];
  const headEnd = Math.min(MAX_TAR_HEADER_BYTES, contentBytes);
  for await (const chunk of readStoredMember(reader.handle, stored, 0, headEnd)) chunks.push(chunk);
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
