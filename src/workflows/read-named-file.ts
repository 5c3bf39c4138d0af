import { DtError, isDtError, systemErrorCode } from '../domain/errors.ts';
import { readSmallFileBytes } from '../transport/read-small-file.ts';

/** The text of a small file that the user named. Throws as `readNamedBytes`. */
export function readNamedFile(path: string, limitBytes: number): string {
  return readNamedBytes(path, limitBytes).toString('utf8');
}

/**
 * A small file that the user named. Throws DT_FILE_NOT_FOUND, DT_FILE_UNREADABLE, and DT_CONFIG_INVALID for what is no regular
 * file or has more than `limitBytes`.
 */
export function readNamedBytes(path: string, limitBytes: number): Buffer {
  try {
    return readSmallFileBytes(path, limitBytes);
  } catch (error) {
    if (error instanceof DtError) throw error;
    if (systemErrorCode(error) === 'ENOENT')
      throw new DtError('DT_FILE_NOT_FOUND', `there is no file ${path}`, { cause: error });
    throw new DtError('DT_FILE_UNREADABLE', `cannot read ${path}`, { cause: error });
  }
}

/** A small file beside one that the user named; undefined if there is none. Throws as `readNamedBytes` otherwise. */
export function readBesideFile(path: string, limitBytes: number): Buffer | undefined {
  try {
    return readNamedBytes(path, limitBytes);
  } catch (error) {
    if (isDtError(error, 'DT_FILE_NOT_FOUND')) return undefined;
    throw error;
  }
}
