import { spawn } from 'node:child_process';
import { systemErrorCode } from '../domain/errors.ts';
import { formatBytes } from '../domain/format-quantity.ts';
import { interruptionError } from '../domain/interruption.ts';
import { watchMemory } from './watch-memory.ts';

export interface RunBounds {
  /** All of the environment of the program. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The folder that the program starts in; default: that of this process. */
  readonly folder?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs: number;
  /** Of both outputs together. */
  readonly maxOutputBytes: number;
  /** Of the program and all that it starts, together; counts on Linux only. Default: what the machine has. */
  readonly maxMemoryBytes?: number;
}

/** How a program ended, and what it printed. */
export interface RunOutcome {
  /** The exit code, or the name of the signal that ended it. */
  readonly code: number | string;
  readonly output: string;
  readonly errorOutput: string;
}

/** Why a program did not come to its end. The message holds nothing of what it printed. */
export class RunFailure extends Error {
  override readonly name = 'RunFailure';
}

/**
 * Runs a program to its end. One that cannot be started, takes too long or too much memory, or prints too much is killed
 * with all that it has started: RunFailure. Throws DT_INTERRUPTED.
 */
export async function runBounded(
  program: string,
  args: readonly string[],
  input: string,
  { environment, folder, signal, timeoutMs, maxOutputBytes, maxMemoryBytes = Infinity }: RunBounds,
): Promise<RunOutcome> {
  if (signal?.aborted === true) throw interruptionError(signal);
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...environment }, cwd: folder, stdio: 'pipe', detached: true });
    const outputs: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
    let sizeBytes = 0;
    const stopWatching = (): void => {
      clearTimeout(timer);
      stopMemoryWatch();
      signal?.removeEventListener('abort', onAbort);
    };
    /** Does not wait for the end: what has left the group may hold the pipes open. */
    const giveUp = (error: Error): void => {
      stopWatching();
      reject(error);
      killGroup(child.pid);
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
    };
    const timer = setTimeout(() => {
      giveUp(new RunFailure(`it did not end within ${String(timeoutMs / 1000)} s`));
    }, timeoutMs);
    const stopMemoryWatch = watchMemory(child.pid, maxMemoryBytes, () => {
      giveUp(new RunFailure(`it took more than ${formatBytes(maxMemoryBytes)} of memory`));
    });
    const onAbort = (): void => {
      if (signal !== undefined) giveUp(interruptionError(signal));
    };
    signal?.addEventListener('abort', onAbort);
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].on('data', (chunk: Buffer) => {
        sizeBytes += chunk.length;
        if (sizeBytes <= maxOutputBytes) outputs[name].push(chunk);
        else giveUp(new RunFailure(`it printed more than ${String(maxOutputBytes)} bytes`));
      });
    }
    child.on('error', (error) => {
      giveUp(new RunFailure(`it cannot be started (${systemErrorCode(error) ?? 'unknown error'})`));
    });
    child.on('close', (code, signalName) => {
      stopWatching();
      resolve({
        code: code ?? String(signalName),
        output: Buffer.concat(outputs.stdout).toString(),
        errorOutput: Buffer.concat(outputs.stderr).toString(),
      });
    });
    // A program that ends without reading its standard input breaks the pipe.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
}

/** A program that was started detached leads a group, of which its children are. */
function killGroup(leader: number | undefined): void {
  if (leader === undefined) return;
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // The whole group has ended.
  }
}
