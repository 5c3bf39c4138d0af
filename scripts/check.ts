import { join } from 'node:path';
import { formatDuration } from '../src/domain/format-quantity.ts';
import { REPOSITORY_ROOT, runCommand } from './lib/run-command.ts';

interface Guard {
  readonly name: string;
  /** A program of node_modules with its arguments. */
  readonly command: readonly [string, ...string[]];
}

const GUARDS: readonly Guard[] = [
  { name: 'types', command: ['tsc', '--noEmit', '-p', '.'] },
  { name: 'lint', command: ['eslint', '.', '--max-warnings', '0'] },
  { name: 'format', command: ['prettier', '--check', '--log-level', 'warn', '.'] },
  { name: 'imports', command: ['depcruise', 'src', '--config', '.dependency-cruiser.cjs', '--output-type', 'err'] },
  { name: 'unused code', command: ['knip', '--no-progress'] },
];

const FIXES: readonly Guard[] = [
  { name: 'lint', command: ['eslint', '.', '--fix'] },
  { name: 'format', command: ['prettier', '--write', '--log-level', 'warn', '.'] },
];

let hasFailed = false;
for (const guard of process.argv.includes('--fix') ? FIXES : GUARDS) {
  const startMs = performance.now();
  const [program, ...args] = guard.command;
  // Under this Node.js, not under the one that a `#!/usr/bin/env node` line finds.
  const script = join(REPOSITORY_ROOT, 'node_modules', '.bin', program);
  const result = await runCommand(process.execPath, [script, ...args], { isCaptured: true });
  const duration = formatDuration(performance.now() - startMs);
  process.stdout.write(`${result.code === 0 ? '✔' : '✘'} ${guard.name} (${duration})\n`);
  if (result.code !== 0) {
    hasFailed = true;
    process.stdout.write(`${result.output.trimEnd()}\n`);
  }
}
process.exitCode = hasFailed ? 1 : 0;
