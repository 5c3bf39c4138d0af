import assert from 'node:assert/strict';
import { goldenArguments } from '../support/golden.ts';
import { errorCode, type DefectCheck } from './defect-checks.ts';
import { runSteps, type Replay, type StepOptions } from './replay-frame.ts';

interface UsageDifference extends StepOptions {
  readonly reason: string;
}

/** Where we differ from the recorded exit codes on purpose. */
export const USAGE_DIFFERENCES: Readonly<Record<string, UsageDifference>> = {
  'dt-usage/usage-errors': {
    reason:
      'an unknown subcommand of a group is an error, as an unknown command is (defects/unknown-subcommand-succeeds)',
    otherExit: { 8: 'unknown subcommand' },
  },
};

/** Wrong usage: the recorded exit class, and the log level that nobody knows is named before the error. */
export function replayUsageCases(replay: Replay): void {
  replay('dt-usage/usage-errors', async (context) => {
    const results = await runSteps(context, USAGE_DIFFERENCES['dt-usage/usage-errors']);
    for (const [index, result] of results.entries()) {
      const { argv = [], exit } = context.goldenCase.steps[index] ?? {};
      if (exit !== 0) assert.notEqual(errorCode(result), undefined, result.stderr);
      if (argv.includes('bogus')) assert.match(result.stderr, /Warning: unknown log level "bogus", using info/);
      if (argv.includes('version')) assert.match(result.stdout, /^Distribution Tooling for Helm\b.* \d+\.\d+\.\d+\n$/);
    }
  });
}

/** Recorded defects of every command. */
export const USAGE_DEFECTS: Readonly<Record<string, DefectCheck>> = {
  'defects/unknown-subcommand-succeeds': async ({ goldenCase, sandbox }) => {
    for (const step of goldenCase.steps) {
      const result = await sandbox.run(goldenArguments(step, sandbox));
      assert.deepEqual([result.code, errorCode(result)], [2, 'DT_USAGE']);
    }
  },

  'defects/output-escapes-in-a-pipe': async ({ goldenCase, sandbox }) => {
    for (const step of goldenCase.steps) {
      const { code, stdout, stderr } = await sandbox.run(goldenArguments(step, sandbox));
      assert.equal(code, 0, stderr);
      assert.doesNotMatch(stdout + stderr, /[\x1b\r\b]/);
    }
  },
};
