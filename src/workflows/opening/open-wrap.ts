import type { RunContext } from '../context.ts';
import { openIndexedWrap } from './open-indexed-wrap.ts';
import { openScannedWrap } from './open-scanned-wrap.ts';
import type { OpenedWrap } from './opened-wrap.ts';

/**
 * Opens a wrap: ours by its table of contents, any other gzip tar of the same tree by going through it once, which
 * checks every blob on the way. Throws DT_FILE_NOT_FOUND, DT_WRAP_INVALID, DT_WRAP_TRUNCATED, DT_UNSAFE_ENTRY and the
 * other codes of damage.
 */
export async function openWrap(path: string, context: RunContext): Promise<OpenedWrap> {
  return (await openIndexedWrap(path)) ?? (await openScannedWrap(path, context));
}
