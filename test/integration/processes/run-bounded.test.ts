import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { runBounded, RunFailure, type RunOutcome } from '../../../src/processes/run-bounded.ts';
import { catchError } from '../../support/assert-refused.ts';

/** Takes 20 MB more every 10 ms, up to 2 GB. */
const GROWING =
  'const taken = []; const timer = setInterval(() => { taken.push(Buffer.alloc(2e7, 1)); if (taken.length === 100) clearInterval(timer); }, 10)';
const SPAWNING = `require("node:child_process").spawn(process.execPath, ["-e", ${JSON.stringify(GROWING)}], {stdio: "inherit"})`;

async function run(args: readonly string[], program = process.execPath): Promise<RunOutcome> {
  const environment = { PATH: process.env['PATH'] };
  const bounds = { environment, timeoutMs: 30_000, maxOutputBytes: 1024, maxMemoryBytes: 500_000_000 };
  return runBounded(program, args, '', bounds);
}

describe('a program with a bound on its memory', { skip: process.platform !== 'linux' }, () => {
  for (const [name, args, program] of [
    ['that takes more', ['-e', GROWING]],
    ['whose child takes more', ['-e', SPAWNING]],
    [
      'that is a script around one that takes more',
      ['-c', '"$@"; true', 'x', process.execPath, '-e', GROWING],
      '/bin/sh',
    ],
  ] as const) {
    it(`is killed: one ${name}`, async () => {
      const error = await catchError(run(args, program));
      assert.ok(error instanceof RunFailure, String(error));
      assert.match(error.message, /more than 500\.0 MB of memory/);
    });
  }

  it('comes to its end below it', async () => {
    const { code, output } = await run(['-e', 'setTimeout(() => console.log("done"), 500)']);
    assert.deepEqual([code, output], [0, 'done\n']);
  });
});
