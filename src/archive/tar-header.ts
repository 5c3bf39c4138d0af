import { extract, pack, type Extract, type Header } from 'tar-stream';
import { DtError } from '../domain/errors.ts';

/** https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html */
export const TAR_BLOCK_BYTES = 512;
/** Two empty blocks end an archive. */
export const TAR_END_BYTES = 2 * TAR_BLOCK_BYTES;

/** The header codec of the library cuts times to 32 bits. */
const MAX_MTIME_SECONDS = 2 ** 31 - 1;
const PERMISSION_BITS = 0o7777;

/** What is written. A link is a hard link: `linkTarget` is the path of an earlier entry. */
export interface NewTarEntry {
  readonly path: string;
  readonly type: 'file' | 'directory' | 'link';
  readonly mode: number;
  /** Zero for everything but files. */
  readonly sizeBytes: number;
  readonly linkTarget?: string | undefined;
  readonly mtimeSeconds: number;
}

/** What is read; `other` are devices, pipes and kinds that we do not know. */
export type TarEntryType = NewTarEntry['type'] | 'symlink' | 'other';

/** An entry as it stands in the archive: nothing of it has been checked. */
export interface TarEntry {
  readonly path: string;
  readonly type: TarEntryType;
  readonly mode: number;
  readonly sizeBytes: number;
  /** Empty for everything but links. */
  readonly linkTarget: string;
  readonly mtimeSeconds: number;
}

export interface TarHeader extends TarEntry {
  /** The length of the header itself: 512, more with PAX records. */
  readonly headerBytes: number;
}

// The library has no header codec in its interface, and its streams work in later ticks. These two methods of them do
// the work at once; the version of the library is pinned, and the tests hold the result against the streams.
interface HeaderPacker {
  push(chunk: Buffer): boolean;
  _encode(header: Partial<Header>): void;
}
/** Keeps nothing from one header to the next. A wrap has a hundred thousand of them, and a stream for each takes a while. */
const packer = pack() as unknown as HeaderPacker;

interface HeaderExtractor {
  on(event: 'entry', listener: (header: Header) => void): void;
  _write(chunk: Uint8Array, callback: (error: Error | null) => void): void;
}

/** The number of zero bytes between the content of an entry and the next header. */
export function tarPaddingBytes(sizeBytes: number): number {
  return (TAR_BLOCK_BYTES - (sizeBytes % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES;
}

/**
 * The header bytes of one entry, owned by nobody: 512 bytes, or 1536 and more if path or target need a PAX record.
 * Times after 2038 become the last one that fits.
 */
export function encodeTarHeader(entry: NewTarEntry): Buffer {
  const chunks: Buffer[] = [];
  packer.push = (chunk) => chunks.push(chunk) > 0;
  packer._encode({
    name: entry.path,
    type: entry.type,
    mode: entry.mode & PERMISSION_BITS,
    size: entry.type === 'file' ? entry.sizeBytes : 0,
    mtime: new Date(Math.min(Math.max(entry.mtimeSeconds, 0), MAX_MTIME_SECONDS) * 1000),
    uid: 0,
    gid: 0,
    ...(entry.type === 'link' ? { linkname: entry.linkTarget ?? '' } : {}),
  });
  return Buffer.concat(chunks);
}

/**
 * The header at the start of the bytes; what follows it is not looked at. Undefined for an empty block, with which an
 * archive ends. Throws DT_WRAP_INVALID.
 */
export function decodeTarHeader(bytes: Uint8Array): TarHeader | undefined {
  if (bytes.length >= TAR_BLOCK_BYTES && bytes.subarray(0, TAR_BLOCK_BYTES).every((byte) => byte === 0))
    return undefined;
  const extractor = createTarExtractor() as unknown as HeaderExtractor;
  let found: Header | undefined;
  let failure: Error | undefined;
  extractor.on('entry', (header) => (found = header));
  for (let end = TAR_BLOCK_BYTES; end <= bytes.length; end += TAR_BLOCK_BYTES) {
    extractor._write(bytes.subarray(end - TAR_BLOCK_BYTES, end), (error) => (failure ??= error ?? undefined));
    if (failure !== undefined) throw new DtError('DT_WRAP_INVALID', 'a tar header is damaged', { cause: failure });
    if (found !== undefined) return { ...readTarEntry(found), headerBytes: end };
  }
  throw new DtError('DT_WRAP_INVALID', 'a tar header is cut');
}

/** A stream that reads tar, also the form of before 1988, which the library refuses unless asked. */
export function createTarExtractor(): Extract {
  const options: Parameters<typeof extract>[0] & { readonly allowUnknownFormat: boolean } = {
    allowUnknownFormat: true,
  };
  return extract(options);
}

/** A header of the library as an entry. Throws DT_WRAP_INVALID for a size that is no number of bytes. */
export function readTarEntry(header: Header): TarEntry {
  const type = readType(header.type);
  if (!Number.isSafeInteger(header.size) || header.size < 0) {
    throw new DtError('DT_WRAP_INVALID', 'a tar header has no valid size');
  }
  return {
    path: header.name,
    type,
    mode: header.mode & PERMISSION_BITS,
    // A folder has no content, whatever its header says.
    sizeBytes: type === 'directory' ? 0 : header.size,
    // A link may name no target at all.
    linkTarget: type === 'link' || type === 'symlink' ? header.linkname || '' : '',
    mtimeSeconds: Math.trunc(header.mtime.getTime() / 1000),
  };
}

function readType(type: Header['type']): TarEntryType {
  switch (type) {
    case 'file':
    case 'contiguous-file':
      return 'file';
    case 'directory':
    case 'link':
    case 'symlink':
      return type;
    default:
      return 'other';
  }
}
