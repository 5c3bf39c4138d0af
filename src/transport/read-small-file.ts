import { closeSync, constants, fstatSync, openSync, readSync, statSync, type Stats } from 'node:fs';
import { devNull } from 'node:os';
import { DtError } from '../domain/errors.ts';
import { formatBytes } from '../domain/format-quantity.ts';

/** Of files that list credentials, one entry per registry. */
export const MAX_CREDENTIAL_FILE_BYTES = 1024 * 1024;
/** Of files with certificates: a bundle of all public authorities has a quarter of a megabyte. */
export const MAX_CERTIFICATE_FILE_BYTES = 16 * 1024 * 1024;

/** Does not wait where a FIFO has come to stand since it was looked at; Windows has no such flag. */
const OPEN_FLAGS = constants.O_RDONLY | ((constants as { readonly O_NONBLOCK?: number }).O_NONBLOCK ?? 0);

/**
 * The text of a regular file, also behind links; the null device is an empty one. DT_CONFIG_INVALID for anything else (a folder, a FIFO, a device: none of
 * them is opened) and for more than `limitBytes`; errors of the system pass through. It waits for the disk.
 */
export function readSmallFile(path: string, limitBytes: number): string {
  return readSmallFileBytes(path, limitBytes).toString('utf8');
}

/** Like `readSmallFile`, byte for byte. */
export function readSmallFileBytes(path: string, limitBytes: number): Buffer {
  // The usual way to say that there are no credentials.
  if (path === devNull) return Buffer.alloc(0);
  requireRegularFile(statSync(path), path);
  const file = openSync(path, OPEN_FLAGS);
  try {
    requireRegularFile(fstatSync(file), path);
    return readBounded(file, limitBytes, path);
  } finally {
    closeSync(file);
  }
}

/** The size that a file tells is not believed: it may grow, and some systems tell 0. */
function readBounded(file: number, limitBytes: number, path: string): Buffer {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for (;;) {
    const chunk = Buffer.allocUnsafe(64 * 1024);
    const readBytes = readSync(file, chunk);
    if (readBytes === 0) return Buffer.concat(chunks);
    sizeBytes += readBytes;
    if (sizeBytes > limitBytes) {
      throw new DtError('DT_CONFIG_INVALID', `cannot use ${path}: it is larger than ${formatBytes(limitBytes)}`);
    }
    chunks.push(chunk.subarray(0, readBytes));
  }
}

function requireRegularFile(stats: Stats, path: string): void {
  if (!stats.isFile()) throw new DtError('DT_CONFIG_INVALID', `cannot use ${path}: it is not a regular file`);
}
