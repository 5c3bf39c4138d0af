import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { GOLDEN_ROOT, listGoldenCases } from '../support/golden.ts';
import { readStoredManifest } from '../support/registry-content.ts';
import type { TestContext } from 'node:test';
import { parseImagesLock } from '../../src/domain/lock/parse-lock.ts';
import { readArchiveFiles } from '../support/archives.ts';
import { createSandbox } from '../support/sandbox.ts';
import { compareRegistry, hasRecordedRegistry, type PushDifference } from './compare-registry.ts';
import { runSteps, startTarget, type Replay, type StepOptions } from './replay-frame.ts';

interface UnwrapDifference extends StepOptions, PushDifference {
  /** Why we differ. */
  readonly reason: string;
  /** Nothing at all is pushed. */
  readonly pushesNothing?: boolean;
}

/** Where we differ from the recorded pushes on purpose. */
export const UNWRAP_DIFFERENCES: Readonly<Record<string, UnwrapDifference>> = {
  'dt-unwrap/artifacts': {
    reason:
      'the Go tool pushes signatures for the digest of the list that it builds; for an image of one platform we push no list, and ' +
      'its signature is found by its own digest, for which it holds; metadata of the chart, which the Go tool leaves behind, is pushed too',
    chartMetadataOf: 'signed-1.0.0.wrap.tgz',
  },
  'dt-unwrap/unpacked-folder': {
    reason: 'only files are unwrapped so far, and a folder would be changed in place',
    otherExit: { 0: 'not a file' },
    pushesNothing: true,
  },
  'dt-unwrap/errors-registry': {
    reason: 'plain HTTP is automatic for loopback, for charts as for images',
    otherExit: { 3: 'loopback' },
  },
};

/** `unwrap` of wraps that the Go tool made: same places, same manifests, same chart. */
export function replayUnwrapCases(replay: Replay): void {
  for (const path of listGoldenCases('dt-unwrap')) {
    replay(path, async (context) => {
      const { goldenCase, t } = context;
      const target = await startTarget(t);
      const difference = UNWRAP_DIFFERENCES[path];
      await runSteps(context, difference);
      if (difference?.pushesNothing === true) assert.deepEqual(target.requests.filter(isWrite), []);
      else if (hasRecordedRegistry(goldenCase)) await compareRegistry(target.host, goldenCase, difference);
      else if (path === 'dt-unwrap/errors-corrupt')
        assert.deepEqual(target.requests, [], 'a damaged wrap reached the registry');
    });
  }
}

export function isWrite(request: string): boolean {
  return /^(?:POST|PUT|PATCH) /.test(request);
}

/** Every file below the golden folder that is a chart wrap which the Go tool wrote, whole. */
export function listGoldenWraps(): string[] {
  return ['dt-wrap', 'dt-unwrap', 'dt-info']
    .flatMap((area) => readdirSync(join(GOLDEN_ROOT, area), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile() && entry.name.endsWith('.tgz') && !/errors/.test(entry.parentPath))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.includes('chart-archive/input'))
    .sort();
}

/**
 * Unwraps what the Go tool wrote. Every platform manifest of its lock is in the target; an image with several of them has
 * a list of exactly these, a single one stands for itself.
 */
export async function unwrapRecordedWrap(t: TestContext, path: string): Promise<void> {
  const sandbox = await createSandbox(t);
  const target = await startTarget(t);
  const lockText = (await readArchiveFiles(path)).get('chart/Images.lock')?.toString() ?? '';
  const { images } = parseImagesLock(lockText, path);
  const hasContent = [...(await readArchiveFiles(path)).keys()].some((name) => name.startsWith('images/'));
  const flags = ['--yes', ...(hasContent || images.length === 0 ? [] : ['--skip-pull-images'])];
  await sandbox.runOk(['unwrap', path, `${target.host}/m`, ...flags]);
  for (const { image, digests } of hasContent ? images : []) {
    const [repository, tag] = image.slice(image.indexOf('/') + 1).split(':') as [string, string];
    const stored = await readStoredManifest(target.host, `m/${repository}`, tag);
    const expected = digests.map(({ digest }) => digest);
    assert.deepEqual(stored?.manifest.manifests?.map(({ digest }) => digest) ?? [stored?.digest], expected);
    for (const digest of expected)
      assert.ok((await readStoredManifest(target.host, `m/${repository}`, digest)) !== undefined);
  }
}
