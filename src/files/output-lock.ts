import { open, readFile, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { outputErrorCode } from '../domain/error-rules.ts';
import { DtError, errorMessage, systemErrorCode } from '../domain/errors.ts';
import { identifyThisProcess, isRunning, type ProcessIdentity } from '../processes/running-process.ts';

/** More than it takes to fill a lock file that has been created. */
const FILLING_TIME_MS = 2_000;
const POLL_INTERVAL_MS = 50;
/** One to clear the way for removing a stale lock, one to remove it, one to take the place. */
const MAX_ATTEMPTS = 3;

interface LockOwner extends ProcessIdentity {
  readonly host: string;
}

/**
 * Takes the exclusive right to write an output file by creating `lockPath`. A lock whose process is gone is taken over.
 * Returns the function that gives it back. Throws DT_OUTPUT_BUSY while another run holds it, DT_OUTPUT_FAILED or
 * DT_DISK_FULL if the place cannot be written to.
 */
export async function acquireOutputLock(lockPath: string, outputPath: string): Promise<() => Promise<void>> {
  const owner: LockOwner = { host: hostname(), ...(await identifyThisProcess()) };
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    try {
      await createLock(lockPath, owner);
      // One that was killed while it removed a stale lock leaves its guard. Whoever holds it now finds another lock.
      await rm(guardPath(lockPath), { force: true });
      return async () => rm(lockPath, { force: true });
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') throw toOutputError(error, outputPath);
    }
    const content = await readFilledText(lockPath);
    const other = parseOwner(content);
    if (other !== undefined && (await isAlive(other))) {
      throw new DtError(
        'DT_OUTPUT_BUSY',
        `another run (process ${String(other.pid)} on ${other.host}) is writing ${outputPath}`,
        {
          hints: [`wait for it to end, or remove ${lockPath} if it is gone`],
        },
      );
    }
    await removeStaleLock(lockPath, content);
  }
  throw new DtError('DT_OUTPUT_BUSY', `another run is writing ${outputPath}`);
}

function toOutputError(error: unknown, outputPath: string): DtError {
  return new DtError(outputErrorCode(error), `cannot write ${outputPath}: ${errorMessage(error)}`, { cause: error });
}

/** A lock that cannot be filled (a full disk) does not stay. */
async function createLock(lockPath: string, owner: LockOwner): Promise<void> {
  const handle = await open(lockPath, 'wx', 0o644);
  try {
    await handle.writeFile(JSON.stringify(owner));
  } catch (error) {
    await rm(lockPath, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

/** What a lock says. One that says nothing, which another run may be filling at this moment, is given time. */
async function readFilledText(lockPath: string): Promise<string | undefined> {
  for (;;) {
    const content = await readText(lockPath);
    if (parseOwner(content) !== undefined || !(await isYoung(lockPath))) return content;
    await sleep(POLL_INTERVAL_MS);
  }
}

/** False also for a file that is not there, or from the future. */
async function isYoung(path: string): Promise<boolean> {
  try {
    return Math.abs(Date.now() - (await stat(path)).mtimeMs) < FILLING_TIME_MS;
  } catch {
    return false;
  }
}

/**
 * Removes the lock if it still has this content. One run at a time does so: of two that found the same stale lock, the
 * slower one would remove the lock that the faster one made in its place.
 */
async function removeStaleLock(lockPath: string, content: string | undefined): Promise<void> {
  const guard = guardPath(lockPath);
  try {
    await (await open(guard, 'wx', 0o644)).close();
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
    while (await isYoung(guard)) await sleep(POLL_INTERVAL_MS);
    await rm(guard, { force: true });
    return;
  }
  try {
    if ((await readFilledText(lockPath)) === content) await rm(lockPath, { force: true });
  } finally {
    await rm(guard, { force: true });
  }
}

function guardPath(lockPath: string): string {
  return `${lockPath}.stale`;
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}

function parseOwner(content: string | undefined): LockOwner | undefined {
  try {
    const { host, pid, startedAt } = JSON.parse(content ?? '') as Partial<LockOwner>;
    if (typeof host !== 'string' || typeof pid !== 'number' || typeof startedAt !== 'string') return undefined;
    return { host, pid, startedAt };
  } catch {
    return undefined;
  }
}

/** A process of another machine (a shared folder) cannot be looked at and counts as alive. */
async function isAlive(owner: LockOwner): Promise<boolean> {
  return owner.host !== hostname() || isRunning(owner);
}
