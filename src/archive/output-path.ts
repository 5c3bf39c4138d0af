import { stat } from 'node:fs/promises';
import { outputErrorCode } from '../domain/error-rules.ts';
import { DtError, errorMessage, systemErrorCode } from '../domain/errors.ts';

/** What an output is called until it is complete. */
export const PARTIAL_EXTENSION = '.partial';

/** A device or a folder is no place for a file that is renamed into position. Throws DT_OUTPUT_FAILED. */
export async function requireRegularOutput(path: string): Promise<void> {
  try {
    if ((await stat(path)).isFile()) return;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return;
    throw toOutputError(error, path);
  }
  throw new DtError('DT_OUTPUT_FAILED', `${path} exists and is not a regular file`);
}

/** DT_DISK_FULL or DT_OUTPUT_FAILED for an error of the file system; what is none stays as it is. */
export function toOutputError(error: unknown, outputPath: string): unknown {
  if (error instanceof DtError || systemErrorCode(error) === undefined || error instanceof TypeError) return error;
  const code = outputErrorCode(error);
  if (code === 'DT_DISK_FULL') {
    return new DtError(code, `cannot write ${outputPath}: the disk is full`, { cause: error });
  }
  if (!(error instanceof Error) || !('syscall' in error)) return error;
  return new DtError(code, `cannot write ${outputPath}: ${errorMessage(error)}`, { cause: error });
}
