import { open, readFile, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { DtError, systemErrorCode } from '../domain/errors.ts';

/** More than it takes to fill a lock file that has been created. */
const FILLING_TIME_MS = 5_000;

interface LockOwner {
  readonly host: string;
  readonly pid: number;
  /** Start of the process in clock ticks since boot; tells a process from a later one with the same number. */
  readonly startedAt: string;
}

/**
 * Takes the exclusive right to write an output file by creating `lockPath`. A lock whose process is gone is taken over.
 * Returns the function that gives it back. Throws DT_OUTPUT_BUSY while another run holds it.
 */
export async function acquireOutputLock(lockPath: string, outputPath: string): Promise<() => Promise<void>> {
  const owner: LockOwner = { host: hostname(), pid: process.pid, startedAt: await processStart(process.pid) };
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const handle = await open(lockPath, 'wx', 0o644);
      await handle.writeFile(JSON.stringify(owner));
      await handle.close();
      return async () => rm(lockPath, { force: true });
    } catch (error) {
      if (systemErrorCode(error) !== 'EEXIST') throw error;
    }
    const other = await readOwner(lockPath);
    if (other === undefined && (await isYoung(lockPath))) break;
    if (other !== undefined && (await isAlive(other))) {
      throw new DtError(
        'DT_OUTPUT_BUSY',
        `another run (process ${String(other.pid)} on ${other.host}) is writing ${outputPath}`,
        {
          hints: [`wait for it to end, or remove ${lockPath} if it is gone`],
        },
      );
    }
    await rm(lockPath, { force: true });
  }
  throw new DtError('DT_OUTPUT_BUSY', `another run is writing ${outputPath}`);
}

/** A lock that says nothing may be one that another run is writing at this moment. */
async function isYoung(lockPath: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(lockPath)).mtimeMs < FILLING_TIME_MS;
  } catch {
    return false;
  }
}

async function readOwner(lockPath: string): Promise<LockOwner | undefined> {
  try {
    const { host, pid, startedAt } = JSON.parse(await readFile(lockPath, 'utf8')) as Partial<LockOwner>;
    if (typeof host !== 'string' || typeof pid !== 'number' || typeof startedAt !== 'string') return undefined;
    return { host, pid, startedAt };
  } catch {
    return undefined;
  }
}

/** A process of another machine (a shared folder) cannot be looked at and counts as alive. */
async function isAlive(owner: LockOwner): Promise<boolean> {
  if (owner.host !== hostname()) return true;
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if (systemErrorCode(error) === 'ESRCH') return false;
  }
  const startedAt = await processStart(owner.pid);
  return startedAt === owner.startedAt;
}

/** Empty where the system does not tell. */
async function processStart(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may hold blanks; the start time is field 22.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
