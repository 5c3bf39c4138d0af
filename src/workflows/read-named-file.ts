import { DtError, systemErrorCode } from '../domain/errors.ts';
import { readSmallFile } from '../transport/read-small-file.ts';

/** The text of a small file that the user named. Throws DT_FILE_NOT_FOUND, DT_FILE_UNREADABLE, DT_CONFIG_INVALID. */
export function readNamedFile(path: string, limitBytes: number): string {
  try {
    return readSmallFile(path, limitBytes);
  } catch (error) {
    if (error instanceof DtError) throw error;
    if (systemErrorCode(error) === 'ENOENT')
      throw new DtError('DT_FILE_NOT_FOUND', `there is no file ${path}`, { cause: error });
    throw new DtError('DT_FILE_UNREADABLE', `cannot read ${path}`, { cause: error });
  }
}
