import { crc32, inflateRawSync } from 'node:zlib';
import { DtError, systemErrorCode } from '../domain/errors.ts';
import { checkEntryPath } from './entry-path.ts';
import { isZero } from './is-zero.ts';
import { GZIP_HEADER, GZIP_HEADER_BYTES, gzipTrailer, inflatedChunkBytes } from './gzip-member.ts';
import {
  decodeTarHeader,
  encodeTarHeader,
  TAR_END_BYTES,
  tarPaddingBytes,
  type NewTarEntry,
  type TarHeader,
} from './tar-header.ts';
import type { TarBufferEntry } from './tar-buffer.ts';

/**
 * The content of a deflated member that is nothing but this member: its header is ours, checksum and length in its trailer
 * are right, and no byte follows. Throws DT_WRAP_INVALID, DT_LIMIT_EXCEEDED.
 */
export function inflateWholeMember(member: Buffer, maxOutputBytes: number): Buffer {
  if (!member.subarray(0, GZIP_HEADER_BYTES).equals(GZIP_HEADER))
    throw invalid('its gzip header is not the one of a wrap');
  const { content, endOffset } = inflate(member, maxOutputBytes);
  const trailer = member.subarray(GZIP_HEADER_BYTES + endOffset);
  if (!trailer.equals(gzipTrailer(crc32(content), content.length))) {
    throw invalid('its checksum or length is wrong, or bytes follow it');
  }
  return content;
}

/**
 * The entries of a member that is full of them: no empty block between them, headers and paths in the one form that a wrap has, so that
 * every program that unpacks it sees the same. The last member ends with the end mark. Throws DT_WRAP_INVALID, DT_UNSAFE_ENTRY.
 */
export function* walkWholeMember(
  content: Buffer,
  { isLast }: { readonly isLast: boolean },
): Generator<TarBufferEntry, void, undefined> {
  const end = content.length - (isLast ? TAR_END_BYTES : 0);
  if (end < 0 || !isZero(content.subarray(end))) throw invalid('it has no end mark');
  for (let at = 0; at < end;) {
    const header = checkWholeHeader(content.subarray(at, end));
    const start = at + header.headerBytes;
    const next = start + header.sizeBytes + tarPaddingBytes(header.sizeBytes);
    if (next > end) throw invalid(`the entry ${header.path} reaches beyond it`);
    if (!isZero(content.subarray(start + header.sizeBytes, next)))
      throw invalid(`bytes are hidden behind the entry ${header.path}`);
    yield { ...header, bytes: content.subarray(start, start + header.sizeBytes) };
    at = next;
  }
}

/** The header at the start of the bytes, which must be the one that we write for such an entry. Throws DT_WRAP_INVALID, DT_UNSAFE_ENTRY. */
export function checkWholeHeader(bytes: Buffer): TarHeader {
  const header = decodeTarHeader(bytes);
  if (header === undefined) throw invalid('an empty block hides what follows from other programs');
  const { path, type, linkTarget } = header;
  const name = JSON.stringify(path.slice(0, 200));
  if (type === 'symlink' || type === 'other') {
    throw new DtError('DT_UNSAFE_ENTRY', `the entry ${name} is neither a file nor a folder`);
  }
  const normalPath = checkEntryPath(path);
  if (path !== normalPath && !(type === 'directory' && path === `${normalPath}/`)) {
    throw new DtError('DT_UNSAFE_ENTRY', `the path of the entry ${name} has more than one form`);
  }
  if (type === 'link') checkEntryPath(linkTarget);
  const entry: NewTarEntry = { ...header, type };
  if (!encodeTarHeader(entry).equals(bytes.subarray(0, header.headerBytes))) {
    throw invalid(`the header of the entry ${name} can be read in more than one way`);
  }
  return { ...header, path: normalPath };
}

function inflate(member: Buffer, maxOutputBytes: number): { readonly content: Buffer; readonly endOffset: number } {
  try {
    // With `info` the answer is another one than the types say.
    const { buffer, engine } = inflateRawSync(member.subarray(GZIP_HEADER_BYTES), {
      maxOutputLength: maxOutputBytes,
      chunkSize: inflatedChunkBytes(member, maxOutputBytes),
      info: true,
    }) as unknown as {
      readonly buffer: Buffer;
      readonly engine: { readonly bytesWritten: number };
    };
    return { content: buffer, endOffset: engine.bytesWritten };
  } catch (error) {
    if (systemErrorCode(error) === 'ERR_BUFFER_TOO_LARGE') {
      throw new DtError('DT_LIMIT_EXCEEDED', 'it is larger than the format allows', { cause: error });
    }
    throw new DtError('DT_WRAP_INVALID', 'it does not decompress', { cause: error });
  }
}

function invalid(why: string): DtError {
  return new DtError('DT_WRAP_INVALID', why);
}
