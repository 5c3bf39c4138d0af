import { lstat, readFile, readlink, realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DtError, errorMessage, isDtError, systemErrorCode } from '../domain/errors.ts';
import { writeFileAtomically } from './atomic-write.ts';
import { makeFolders } from './make-folders.ts';
import { acquireOutputLock } from './output-lock.ts';

/** Only the owner of a file with secrets may read it, and enter a folder that is made for it. */
const SECRET_FILE_MODE = 0o600;
const SECRET_FOLDER_MODE = 0o700;
/** Two updates side by side take milliseconds; a lock that is held longer belongs to something that hangs. */
const LOCK_WAIT_MS = 10_000;
const LOCK_POLL_MS = 25;
const MAX_LINKS = 40;

/**
 * Changes a small file with secrets: `edit` gets its text (undefined without a file) and gives the new one, or undefined to
 * leave it. Updates side by side do not lose each other's changes, a link stays a link, and the file appears complete or not
 * at all, with mode 0600. Throws DT_FILE_UNREADABLE, DT_OUTPUT_FAILED, DT_OUTPUT_BUSY, and what `edit` throws.
 */
export async function updateSecretFile(
  path: string,
  edit: (text: string | undefined) => string | undefined,
): Promise<void> {
  const target = await followLinks(path);
  try {
    await makeFolders(dirname(target), SECRET_FOLDER_MODE);
  } catch (error) {
    throw new DtError('DT_OUTPUT_FAILED', `cannot create the folder of ${path}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
  const release = await waitForLock(`${target}.lock`, path);
  try {
    const text = edit(await readText(target));
    if (text !== undefined) await writeFileAtomically(target, text, { mode: SECRET_FILE_MODE });
  } finally {
    await release();
  }
}

async function waitForLock(lockPath: string, path: string): Promise<() => Promise<void>> {
  const deadlineMs = Date.now() + LOCK_WAIT_MS;
  for (;;) {
    try {
      return await acquireOutputLock(lockPath, path);
    } catch (error) {
      if (!isDtError(error, 'DT_OUTPUT_BUSY') || Date.now() > deadlineMs) throw error;
    }
    await sleep(LOCK_POLL_MS);
  }
}

/** The place that a path leads to; there need not be a file yet. */
async function followLinks(path: string): Promise<string> {
  let current = resolve(path);
  for (let count = 0; count < MAX_LINKS; count++) {
    try {
      return await realpath(current);
    } catch {
      if (!(await isLink(current))) return current;
      current = resolve(dirname(current), await readlink(current));
    }
  }
  throw new DtError('DT_OUTPUT_FAILED', `cannot write ${path}: its links lead in a circle`);
}

async function isLink(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSymbolicLink();
  } catch {
    return false;
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw new DtError('DT_FILE_UNREADABLE', `cannot read ${path}: ${errorMessage(error)}`, { cause: error });
  }
}
