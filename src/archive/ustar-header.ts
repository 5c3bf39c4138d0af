import { encodeTarHeader, TAR_BLOCK_BYTES } from './tar-header.ts';

/** An entry as the Carvel tools write it: no owner, no time. */
export interface PlainTarEntry {
  readonly path: string;
  readonly type: 'file' | 'directory';
  readonly mode: number;
  readonly sizeBytes: number;
}

/** Where the fields are. https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06 */
const FIELDS = { name: 0, mode: 100, uid: 108, gid: 116, size: 124, mtime: 136, checksum: 148, type: 156, magic: 257 };
const DEVICE_FIELDS = [329, 337];
const PREFIX_FIELD = 345;
const NAME_BYTES = 100;
const PREFIX_BYTES = 155;
const MAX_SIZE_BYTES = 8 ** 11 - 1;
const ASCII_PATTERN = /^[\u0020-\u007e]*$/;

/**
 * The header of an entry byte for byte as Go writes it in the USTAR form: the digest of an unpacked layer depends on it, and
 * the library ends the paths of folders with a slash and its numbers with blanks. What the form has no room for gets the
 * header of the library, with PAX records.
 */
export function encodeUstarHeader(entry: PlainTarEntry): Buffer {
  const { path, type, mode, sizeBytes } = entry;
  const names = splitPath(path);
  if (names === undefined || sizeBytes > MAX_SIZE_BYTES) return encodeTarHeader({ ...entry, mtimeSeconds: 0 });
  const header = Buffer.alloc(TAR_BLOCK_BYTES);
  header.write(names.name, FIELDS.name, 'latin1');
  writeOctal(header, FIELDS.mode, 7, mode);
  writeOctal(header, FIELDS.uid, 7, 0);
  writeOctal(header, FIELDS.gid, 7, 0);
  writeOctal(header, FIELDS.size, 11, sizeBytes);
  writeOctal(header, FIELDS.mtime, 11, 0);
  header.write(type === 'directory' ? '5' : '0', FIELDS.type, 'latin1');
  header.write('ustar\u000000', FIELDS.magic, 'latin1');
  for (const field of DEVICE_FIELDS) writeOctal(header, field, 7, 0);
  header.write(names.prefix, PREFIX_FIELD, 'latin1');
  header.write(' '.repeat(8), FIELDS.checksum, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\u0000 `, FIELDS.checksum, 'latin1');
  return header;
}

/** The two fields for a path; undefined if it does not fit into them. */
function splitPath(path: string): { readonly name: string; readonly prefix: string } | undefined {
  if (!ASCII_PATTERN.test(path)) return undefined;
  if (path.length <= NAME_BYTES) return { name: path, prefix: '' };
  const slash = path.lastIndexOf('/', PREFIX_BYTES);
  const name = path.slice(slash + 1);
  return slash <= 0 || name === '' || name.length > NAME_BYTES ? undefined : { name, prefix: path.slice(0, slash) };
}

function writeOctal(header: Buffer, offset: number, digits: number, value: number): void {
  header.write(value.toString(8).padStart(digits, '0'), offset, 'latin1');
}
