import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { REPOSITORY_ROOT, runCommand, runScript, type CommandResult } from './lib/run-command.ts';

const SUITES: Readonly<Record<string, readonly string[]>> = {
  unit: ['test/unit/**/*.test.ts'],
  integration: ['test/integration/**/*.test.ts', 'test/golden/**/*.test.ts', 'test/security/**/*.test.ts'],
  cli: ['test/cli/**/*.test.ts'],
};

const UNIT_PROCESSES = Math.min(availableParallelism(), 2);

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
  const tests = suite === 'unit' ? await runInShares(UNIT_PROCESSES) : await runFiles([], listTestFiles());
  return [tests, guards, tools].find((result) => result !== undefined && result.code !== 0)?.code ?? 0;
}

/** Unit tests alone share a process or two, which saves the start of a hundred; together with the others each file has its own. */
async function runInShares(count: number): Promise<CommandResult> {
  const files = listTestFiles();
  const results = await Promise.all(
    Array.from({ length: count }, async (_, share) => {
      const own = files.filter((_file, index) => index % count === share);
      return runFiles(['--test-isolation=none'], own, share > 0);
    }),
  );
  // The first one has reported while it ran.
  for (const { output } of results) process.stdout.write(output);
  return results.find(({ code }) => code !== 0) ?? { code: 0, output: '' };
}

async function runFiles(
  options: readonly string[],
  files: readonly string[],
  isCaptured = false,
): Promise<CommandResult> {
  return runCommand(process.execPath, ['--test', ...options, ...runnerArguments, ...files], { isCaptured });
}

function listTestFiles(): string[] {
  const patterns = suite === undefined ? Object.values(SUITES).flat() : (SUITES[suite] ?? []);
  return globSync(patterns, { cwd: REPOSITORY_ROOT }).sort();
}
