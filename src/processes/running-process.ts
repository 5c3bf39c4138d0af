import { readFile } from 'node:fs/promises';
import { systemErrorCode } from '../domain/errors.ts';

/** A process, told from a later one with the same number. */
export interface ProcessIdentity {
  readonly pid: number;
  /** In clock ticks since boot; empty where the system does not tell. */
  readonly startedAt: string;
}

/** A process that has ended and that its parent has not asked about yet. */
const ZOMBIE_STATE = 'Z';

export async function identifyThisProcess(): Promise<ProcessIdentity> {
  return { pid: process.pid, startedAt: (await readProcess(process.pid)).startedAt };
}

/** Whether a process of this machine, as this process sees it, has not ended. */
export async function isRunning({ pid, startedAt }: ProcessIdentity): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (systemErrorCode(error) === 'ESRCH') return false;
  }
  const found = await readProcess(pid);
  return found.state !== ZOMBIE_STATE && found.startedAt === startedAt;
}

/** Both empty where the system does not tell. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
async function readProcess(pid: number): Promise<{ state: string; startedAt: string }> {
  try {
    const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8');
    // The second field is the program's name in parentheses and may hold blanks; the start time is field 22.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0] ?? '', startedAt: fields[19] ?? '' };
  } catch {
    return { state: '', startedAt: '' };
  }
}
