import { globSync } from 'node:fs';
import { REPOSITORY_ROOT, runCommand, runScript } from './lib/run-command.ts';

const SUITES: Readonly<Record<string, readonly string[]>> = {
  unit: ['test/unit/**/*.test.ts'],
  integration: ['test/integration/**/*.test.ts', 'test/golden/**/*.test.ts', 'test/security/**/*.test.ts'],
  cli: ['test/cli/**/*.test.ts'],
};

const [first, ...others] = process.argv.slice(2);
const suite = first !== undefined && first in SUITES ? first : undefined;
const runnerArguments = suite === undefined && first !== undefined ? [first, ...others] : others;
process.exitCode = await runTests();

/** Everything when no suite is named: build, tools, guards, all tests. Gives the exit code. */
async function runTests(): Promise<number> {
  const build = await runScript('scripts/build.ts');
  if (build.code !== 0) return build.code;
  const tools = suite === 'unit' ? undefined : await runScript('scripts/tools.ts');
  const guards = suite === undefined ? await runScript('scripts/check.ts') : undefined;
  // A guard that fails does not hide what the tests say.
  // Unit tests alone run in one process, which saves the start of a hundred; together with the others each file has its own.
  const isolation = suite === 'unit' ? ['--test-isolation=none'] : [];
  const tests = await runCommand(process.execPath, ['--test', ...isolation, ...runnerArguments, ...listTestFiles()]);
  return [tests, guards, tools].find((result) => result !== undefined && result.code !== 0)?.code ?? 0;
}

function listTestFiles(): string[] {
  const patterns = suite === undefined ? Object.values(SUITES).flat() : (SUITES[suite] ?? []);
  return globSync(patterns, { cwd: REPOSITORY_ROOT }).sort();
}
