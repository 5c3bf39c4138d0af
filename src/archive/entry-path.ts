import { DtError } from '../domain/errors.ts';

/** Longer paths are refused; Linux has the same limit for a path. */
const MAX_PATH_BYTES = 4096;
// Also the limit of the usual file systems.
const MAX_PATH_PART_BYTES = 255;

const CONTROL_PATTERN = /[\u0000-\u001f\u007f-\u009f]/;
const DRIVE_PATTERN = /^[a-z]:/i;

/**
 * The path of an archive entry in its normal form: `/` between the parts, no `./`, no double or trailing slash; empty for
 * the root of the archive itself. Throws DT_UNSAFE_ENTRY for a path that could lead out of the folder into which it is
 * unpacked, on any system: absolute, with `..`, a backslash, a drive letter or control characters.
 */
export function checkEntryPath(path: string): string {
  const reject = (why: string): DtError =>
    new DtError('DT_UNSAFE_ENTRY', `the archive entry ${JSON.stringify(path.slice(0, 200))} is refused: ${why}`);
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw reject('its path is too long');
  if (CONTROL_PATTERN.test(path)) throw reject('its path has control characters');
  if (path.includes('\\')) throw reject('its path has a backslash');
  if (path.startsWith('/')) throw reject('its path is absolute');
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw reject('its path has ".."');
  if (parts.some((part) => Buffer.byteLength(part) > MAX_PATH_PART_BYTES))
    throw reject('a part of its path is too long');
  const normal = parts.join('/');
  if (DRIVE_PATTERN.test(normal)) throw reject('its path has a drive letter');
  return normal;
}
