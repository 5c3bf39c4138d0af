import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listGoldenCases, withoutGenerationTime } from '../support/golden.ts';
import { recordedFiles, runSteps, type Replay, type StepOptions } from './replay-frame.ts';

/** With `--platforms` our lock says what was left out; the Go tool ignores these lines. */
const PLATFORM_LINES = /^ +(?:- )?(?:indexDigest|variant): .*\n/gm;

/** Where we differ on purpose. */
export const LOCK_DIFFERENCES: Readonly<Record<string, StepOptions & { readonly reason: string }>> = {
  'dt-lock/error-index-without-platform': {
    reason: 'the platform is read from the config; what has none is for no platform, and is carried all the same',
    otherExit: { 0: 'config' },
  },
  'dt-lock/error-nested-index': {
    reason: 'the manifests of an index in an index are locked like others',
    otherExit: { 0: 'nested' },
  },
  'dt-lock/platforms-filter-none-left': {
    reason: 'a platform may name a variant: linux/arm/v7 selects it instead of never matching',
    otherExit: { 0: 'linux/arm/v7' },
  },
};

/** `images lock`: the lock is the recorded one, byte for byte but for its time; after a failure there is none. */
export function replayLockCases(replay: Replay): void {
  for (const path of listGoldenCases('dt-lock')) {
    replay(path, async (context) => {
      const { goldenCase, sandbox } = context;
      const hasOldLock = existsSync(join(sandbox.work, 'c/Images.lock'));
      const results = await runSteps(context, LOCK_DIFFERENCES[path]);
      for (const [index, step] of goldenCase.steps.entries()) {
        if (step.argv?.includes('/dev/stdout') !== true) continue;
        const printed = withoutGenerationTime(results[index]?.stdout ?? '');
        assert.ok(printed.startsWith(withoutGenerationTime(step.stdout)), printed);
      }
      for (const file of recordedFiles(goldenCase)) {
        const [actual, expected] = await Promise.all(
          [sandbox.work, join(goldenCase.folder, 'output')].map(async (folder) => readFile(join(folder, file), 'utf8')),
        );
        const isFiltered = goldenCase.steps.some(({ argv }) => argv?.includes('--platforms') === true);
        assert.equal(
          withoutGenerationTime(isFiltered ? (actual ?? '').replace(PLATFORM_LINES, '') : (actual ?? '')),
          withoutGenerationTime(expected ?? ''),
        );
      }
      if (!hasOldLock && results.some(({ code }) => code !== 0)) {
        assert.equal(existsSync(join(sandbox.work, 'c/Images.lock')), false);
      }
    });
  }
}
