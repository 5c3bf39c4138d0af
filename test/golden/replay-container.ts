import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { listGoldenCases, loadGoldenCase } from '../support/golden.ts';
import { compareRegistry } from './compare-registry.ts';
import type { WrapContentDifference } from './compare-wraps.ts';
import { runSteps, startTarget, type Replay, type StepOptions } from './replay-frame.ts';
import { compareCompatible, compareWritten } from './replay-wrap.ts';

interface ContainerDifference extends StepOptions, WrapContentDifference {
  /** Why we differ, or what else is compared. */
  readonly reason: string;
  /** The case whose recorded registry is that of this one, too. */
  readonly registryOf?: string;
}

/** Where we differ from the recorded container wraps on purpose. */
export const CONTAINER_DIFFERENCES: Readonly<Record<string, ContainerDifference>> = {
  'dt-container/unwrap-artifacts': {
    reason:
      'the image of one platform is pushed as the single manifest that it is: its signature and metadata are found by its own digest, not by that of a list',
  },
  'dt-container/unwrap-pretty': {
    reason: 'the target was not recorded; the wrap is the one of unwrap-single',
    registryOf: 'dt-container/unwrap-single',
  },
  'dt-container/unwrap-single': {
    reason: 'a single manifest stays a single manifest; the Go tool puts a list around it',
  },
  'dt-container/wrap-artifacts': {
    reason:
      'signatures and metadata are layouts beside those of the image, found by digest, with or without --fetch-artifacts',
    artifactsAsLayouts: true,
  },
  'dt-container/wrap-multi': {
    reason: 'the index of the image is kept, as a layout of its own',
  },
  'dt-container/wrap-platforms': {
    reason: 'the lock also says what the index was and which variants were taken, and the index is kept',
  },
};

/** `images wrap` and `images unwrap`: the same tree, and the same places in the target. */
export function replayContainerCases(replay: Replay): void {
  for (const path of listGoldenCases('dt-container')) {
    replay(path, async (context) => {
      const difference = CONTAINER_DIFFERENCES[path];
      const before = await readdir(context.sandbox.work);
      if (path.includes('/wrap-')) {
        await runSteps(context, difference);
        await compareWritten(context, before, difference);
        if (difference?.artifactsAsLayouts === true) await compareCompatible(context);
        return;
      }
      const target = await startTarget(context.t);
      await runSteps(context, difference);
      assert.deepEqual(await readdir(context.sandbox.work), before);
      const { registryOf } = difference ?? {};
      await compareRegistry(target.host, registryOf === undefined ? context.goldenCase : loadGoldenCase(registryOf));
    });
  }
}
