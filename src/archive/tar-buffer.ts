import { DtError } from '../domain/errors.ts';
import { checkEntryPath } from './entry-path.ts';
import { decodeTarHeader, tarPaddingBytes, type TarHeader } from './tar-header.ts';

/** An entry of a tar that lies in memory. */
export interface TarBufferEntry extends TarHeader {
  readonly bytes: Buffer;
}

/**
 * Goes through the entries of a piece of tar in memory; paths are checked. With `headersOnly` the bytes of an entry may
 * reach beyond the buffer. Throws DT_UNSAFE_ENTRY, DT_WRAP_INVALID.
 */
export function* walkTarBuffer(
  tar: Buffer,
  options: { readonly headersOnly?: boolean } = {},
): Generator<TarBufferEntry, void, undefined> {
  for (let at = 0; at < tar.length;) {
    const header = decodeTarHeader(tar.subarray(at));
    if (header === undefined) return;
    const start = at + header.headerBytes;
    const end = start + header.sizeBytes;
    if (end > tar.length && options.headersOnly !== true) {
      throw new DtError('DT_WRAP_INVALID', `the entry ${header.path} reaches beyond its member`);
    }
    yield { ...header, path: checkEntryPath(header.path), bytes: tar.subarray(start, end) };
    at = end + tarPaddingBytes(header.sizeBytes);
  }
}
