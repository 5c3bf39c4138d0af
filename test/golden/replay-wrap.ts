import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { goldenArguments, listGoldenCases, recordedOutput } from '../support/golden.ts';
import { compareWraps, type WrapContentDifference } from './compare-wraps.ts';
import { recordedFiles, runSteps, type Replay, type ReplayContext, type StepOptions } from './replay-frame.ts';

interface WrapDifference extends StepOptions, WrapContentDifference {
  /** Why we differ. */
  readonly reason: string;
  /** Run again with these arguments added, and compare that. */
  readonly retryWith?: readonly string[];
}

const ARTIFACTS_REASON =
  'signatures and metadata are layouts beside those of the images, found by digest, with or without --fetch-artifacts';

/** Where we differ from the recorded wraps on purpose. */
export const WRAP_DIFFERENCES: Readonly<Record<string, WrapDifference>> = {
  'dt-wrap/local-chart-with-artifacts': {
    reason: ARTIFACTS_REASON,
    artifactsAsLayouts: true,
  },
  'dt-wrap/remote-chart-with-artifacts': {
    reason: ARTIFACTS_REASON,
    artifactsAsLayouts: true,
  },
  'dt-wrap/no-images': {
    reason: 'a chart without images is more often a mistake than a wish: it needs --allow-empty',
    otherExit: { 0: 'DT_CHART_NO_IMAGES' },
    retryWith: ['--allow-empty'],
  },
  'dt-wrap/remote-versions': {
    reason: 'plain HTTP is automatic for loopback, for charts as for images',
    otherExit: { 7: 'loopback' },
  },
};

/** `wrap`: below `chart/` and in the layouts of platforms lies what the Go tool puts there. */
export function replayWrapCases(replay: Replay): void {
  for (const path of listGoldenCases('dt-wrap')) {
    replay(path, async (context) => {
      const { goldenCase, sandbox } = context;
      const difference = WRAP_DIFFERENCES[path];
      const before = await readdir(sandbox.work);
      await runSteps(context, difference);
      if (difference?.retryWith !== undefined) {
        const [step] = goldenCase.steps;
        await sandbox.runOk([...(step?.argv ?? []).slice(1), ...difference.retryWith]);
      }
      await compareWritten(context, before, difference);
      if (difference?.artifactsAsLayouts === true) await compareCompatible(context);
    });
  }
}

/** With `--compat` the signatures and metadata of images are also where the Go tool looks for them. That of charts it never reads. */
export async function compareCompatible({ goldenCase, sandbox }: ReplayContext): Promise<void> {
  const [step] = goldenCase.steps;
  const [recorded] = recordedFiles(goldenCase);
  assert.ok(step !== undefined && recorded !== undefined);
  await sandbox.runOk([...goldenArguments(step, sandbox), '--compat', '--output-file', 'compat.tgz']);
  const omitted = /^artifacts\/chart\/metadata/;
  await compareWraps(join(sandbox.work, 'compat.tgz'), recordedOutput(goldenCase, recorded), { omitted });
}

/** Nothing but the recorded wraps was written, each with the recorded content. */
export async function compareWritten(
  { goldenCase, sandbox }: ReplayContext,
  before: readonly string[],
  difference?: WrapContentDifference,
): Promise<void> {
  const written = (await readdir(sandbox.work)).filter((name) => !before.includes(name));
  const recorded = new Set(recordedFiles(goldenCase).map((file) => file.split('/')[0] ?? ''));
  assert.deepEqual(new Set(written), recorded, 'other files than recorded');
  for (const file of recordedFiles(goldenCase)) {
    await compareWraps(join(sandbox.work, file), join(goldenCase.folder, 'output', file), difference);
  }
}
