import { spawn } from 'node:child_process';
import { join } from 'node:path';

export const DT_PATH = join(import.meta.dirname, '..', '..', 'bin', 'dt');

const DEFAULT_TIMEOUT_MS = 60_000;
/** What of the developer's surroundings would change what the program prints. */
export const CLEARED_VARIABLES = [
  'HELM_PLUGIN_NAME',
  'HELM_PLUGIN_DIR',
  'HELM_BIN',
  'HELM_DEBUG',
  'CI',
  'DT_NODE',
] as const;

export interface RunCliOptions {
  /** Variables on top of the environment of the test; undefined removes one. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  /** All of standard input; without it standard input is at its end. */
  readonly stdin?: string | Uint8Array;
  readonly timeoutMs?: number;
  /** Another program than `bin/dt`, for instance Helm. */
  readonly command?: string;
}

export interface RunCliResult {
  readonly stdout: string;
  readonly stderr: string;
  /** Exit code; -1 for a program that a signal ended. */
  readonly code: number;
}

/** Runs the built program to its end. Rejects when it takes longer than `timeoutMs`. */
export function runCli(args: readonly string[], options: RunCliOptions = {}): Promise<RunCliResult> {
  const cleared = Object.fromEntries(CLEARED_VARIABLES.map((name) => [name, undefined]));
  return new Promise((resolve, reject) => {
    const child = spawn(options.command ?? DT_PATH, args, {
      cwd: options.cwd,
      env: { ...process.env, ...cleared, ...options.env },
      stdio: 'pipe',
    });
    const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`dt ${args.join(' ')} did not end within ${String(timeoutMs)} ms`));
    }, timeoutMs);
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    // A program that ends without reading its standard input breaks the pipe.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.stdin);
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString(), code: code ?? -1 });
    });
  });
}
