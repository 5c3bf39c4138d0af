import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, watch } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const TIME_PROGRAM = '/usr/bin/time';
const POLL_INTERVAL_MS = 5;

/** How the peak memory of a process is found on this machine. */
export const MEMORY_SOURCE = existsSync(TIME_PROGRAM) ? `${TIME_PROGRAM} -f %M` : 'VmHWM, polled';

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
}

export interface Run {
  readonly wallSeconds: number;
  /** Resident memory of the largest process of the command. */
  readonly peakMebibytes: number;
  /** Names that appeared in the folder for temporary files. */
  readonly temporaryFiles: readonly string[];
}

/** Runs a command to its end with an empty home and an empty folder for temporary files. Throws if it fails. */
export async function measureRun({ program, args }: Command, workFolder: string): Promise<Run> {
  const folder = await mkdtemp(join(workFolder, 'run-'));
  const [temporaryFolder, memoryFile] = [await mkdtemp(join(folder, 'tmp-')), join(folder, 'memory')];
  const names = new Set<string>();
  const watcher = watch(temporaryFolder, (_, name) => {
    if (name !== null) names.add(name);
  });
  const timed = existsSync(TIME_PROGRAM);
  const argv = timed ? [TIME_PROGRAM, '-f', '%M', '-o', memoryFile, program, ...args] : [program, ...args];
  try {
    const startedAt = performance.now();
    const child = spawn(argv[0] ?? program, argv.slice(1), {
      cwd: folder,
      env: { PATH: process.env['PATH'], HOME: folder, TMPDIR: temporaryFolder },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const errors = text(child.stderr);
    const polled = timed ? undefined : pollPeakKibibytes(child.pid ?? 0);
    const [code] = (await once(child, 'exit')) as [number | null];
    const wallSeconds = (performance.now() - startedAt) / 1000;
    if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${String(code)}: ${await errors}`);
    const kibibytes = polled?.() ?? Number((await readFile(memoryFile, 'utf8')).trim());
    return { wallSeconds, peakMebibytes: kibibytes / 1024, temporaryFiles: [...names] };
  } finally {
    watcher.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function pollPeakKibibytes(pid: number): () => number {
  let peak = 0;
  const timer = setInterval(() => {
    readFile(`/proc/${String(pid)}/status`, 'utf8').then(
      (status) => {
        peak = Math.max(peak, Number(/^VmHWM:\s+(\d+)/m.exec(status)?.[1] ?? 0));
      },
      () => undefined,
    );
  }, POLL_INTERVAL_MS);
  return () => {
    clearInterval(timer);
    return peak;
  };
}

/**
 * Bytes that a command reads from files, by the kernel's own count: a shell that has waited for its child carries the
 * child's reads (`rchar`). Includes the shell itself and the program's code, so take the difference of two commands.
 */
export async function countReadBytes({ program, args }: Command): Promise<number> {
  const script = '"$@" >/dev/null 2>&1 || exit 1; cat /proc/$$/io';
  const child = spawn('sh', ['-c', script, 'sh', program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const output = await text(child.stdout);
  const readBytes = /^rchar: (\d+)$/m.exec(output)?.[1];
  if (readBytes === undefined) throw new Error(`${program} ${args.join(' ')} failed, or /proc does not count reads`);
  return Number(readBytes);
}

/** Runs the commands in turn, `rounds` times each after one round that is not counted. */
export async function measureInTurn<Name extends string>(
  commands: Readonly<Record<Name, (round: number) => Promise<Command>>>,
  rounds: number,
  workFolder: string,
): Promise<Record<Name, Run[]>> {
  const names = Object.keys(commands) as Name[];
  const runs = Object.fromEntries(names.map((name) => [name, [] as Run[]])) as Record<Name, Run[]>;
  for (let round = 0; round <= rounds; round++) {
    for (const name of names) {
      const run = await measureRun(await commands[name](round), workFolder);
      if (round > 0) runs[name].push(run);
    }
  }
  return runs;
}
