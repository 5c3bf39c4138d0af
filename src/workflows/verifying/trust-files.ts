import { DtError, systemErrorCode } from '../../domain/errors.ts';
import { readSmallFile } from '../../transport/read-small-file.ts';

/** Where the signature of a wrap lies beside it. */
export const SIGNATURE_EXTENSION = '.sigstore.json';
/** Of a key, or a trusted root. */
export const MAX_TRUST_FILE_BYTES = 1024 * 1024;
/** The password of an encrypted key, under the name that cosign has for it. */
export const KEY_PASSWORD_VARIABLE = 'COSIGN_PASSWORD';

/** The text of a small file that the user named. Throws DT_FILE_NOT_FOUND, DT_FILE_UNREADABLE, DT_CONFIG_INVALID. */
export function readTrustFile(path: string, limitBytes: number): string {
  try {
    return readSmallFile(path, limitBytes);
  } catch (error) {
    if (error instanceof DtError) throw error;
    if (systemErrorCode(error) === 'ENOENT')
      throw new DtError('DT_FILE_NOT_FOUND', `there is no file ${path}`, { cause: error });
    throw new DtError('DT_FILE_UNREADABLE', `cannot read ${path}`, { cause: error });
  }
}
