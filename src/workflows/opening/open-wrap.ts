import { findWrapFile } from '../../archive/wrap-file.ts';
import type { RunContext } from '../context.ts';
import { warnOfMissingChecksums } from '../verifying/check-parts.ts';
import { openIndexedWrap } from './open-indexed-wrap.ts';
import { openScannedWrap } from './open-scanned-wrap.ts';
import type { OpenedWrap } from './opened-wrap.ts';

/**
 * Opens a wrap: ours by its table of contents, any other gzip tar of the same tree by going through it once, which
 * checks every blob on the way. Any part stands for all parts of a wrap. Throws DT_FILE_NOT_FOUND, DT_WRAP_INCOMPLETE,
 * DT_WRAP_INVALID, DT_WRAP_TRUNCATED, DT_UNSAFE_ENTRY and the other codes of damage.
 */
export async function openWrap(path: string, context: RunContext): Promise<OpenedWrap> {
  warnOfMissingChecksums(await findWrapFile(path), context.reporter);
  return (await openIndexedWrap(path)) ?? (await openScannedWrap(path, context));
}
