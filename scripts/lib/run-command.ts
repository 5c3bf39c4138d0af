import { spawn, type SpawnOptions } from 'node:child_process';
import { join } from 'node:path';

/** The root of the repository. */
export const REPOSITORY_ROOT = join(import.meta.dirname, '..', '..');

export interface CommandResult {
  /** Exit code; 1 for a program that could not be started or was killed. */
  readonly code: number;
  /** Standard output and standard error together, when they were captured. */
  readonly output: string;
}

export interface RunCommandOptions extends Pick<SpawnOptions, 'cwd' | 'env'> {
  /** Captures the output instead of passing it on. */
  readonly isCaptured?: boolean;
}

/** Runs a program in the root of the repository to its end. Never throws. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: RunCommandOptions = {},
): Promise<CommandResult> {
  const { isCaptured = false, ...spawnOptions } = options;
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: REPOSITORY_ROOT,
      ...spawnOptions,
      stdio: isCaptured ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
    });
    const chunks: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => chunks.push(chunk));
    child.on('error', (error) => {
      resolve({ code: 1, output: error.message });
    });
    child.on('close', (code) => {
      resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString() });
    });
  });
}

/** Runs a script of the repository under the Node.js that runs now. */
export function runScript(script: string, args: readonly string[] = []): Promise<CommandResult> {
  return runCommand(process.execPath, [join(REPOSITORY_ROOT, script), ...args]);
}
