import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readCarvelLock, type ReadCarvelImage } from '../support/carvel-lock.ts';
import { listGoldenCases, recordedOutput, withoutGenerationTime } from '../support/golden.ts';
import { readStoredManifest } from '../support/registry-content.ts';
import { compareBundles } from './compare-carvel.ts';
import { runFirstStep, SOURCE, type DefectCheck } from './defect-checks.ts';
import { recordedFiles, runSteps, type Replay, type ReplayContext } from './replay-frame.ts';

/** `charts carvelize`: the recorded lock and the recorded bundle; after a failure nothing. */
export function replayCarvelizeCases(replay: Replay): void {
  for (const path of listGoldenCases('dt-carvelize')) {
    replay(path, async (context) => {
      const { goldenCase, sandbox } = context;
      await runSteps(context);
      const chart = join(sandbox.work, 'c');
      const recorded = recordedFiles(goldenCase);
      assert.equal(existsSync(join(chart, '.imgpkg')), recorded.length > 0);
      if (recorded.length > 0) await compareBundles(chart, recordedOutput(goldenCase, 'c'));
      if (recorded.includes('c/Images.lock')) await compareLock(context);
    });
  }
}

async function compareLock({ goldenCase, sandbox }: ReplayContext): Promise<void> {
  const [own, recorded] = await Promise.all(
    [join(sandbox.work, 'c/Images.lock'), recordedOutput(goldenCase, 'c/Images.lock')].map(async (path) =>
      readFile(path, 'utf8'),
    ),
  );
  assert.equal(withoutGenerationTime(own ?? ''), withoutGenerationTime(recorded ?? ''));
}

/** What the peer gets wrong. */
export const CARVELIZE_DEFECTS: Readonly<Record<string, DefectCheck>> = {
  'defects/carvelize-bundle-yml-shape': async (context) => {
    await carvelize(context);
    // The comparison requires the documented shape, without anything empty.
    await compareBundles(join(context.sandbox.work, 'c'), recordedOutput(context.goldenCase, 'c'));
  },
  'defects/carvelize-digest-reference-fails': async (context) => {
    const [single] = await carvelize(context);
    assert.equal(single?.image, single?.annotations['kbld.carvel.dev/id']);
  },
  'defects/carvelize-drops-images': async (context) => {
    const images = await carvelize(context);
    assert.deepEqual(
      images.map(({ reference }) => reference.repository),
      ['one/app', 'special/single-armv7', 'toplevel'],
    );
  },
  'defects/carvelize-single-platform': async (context) => {
    const [nginx] = await carvelize(context);
    const platforms = await listPlatformDigests(nginx);
    assert.equal(platforms.length, 2);
  },
  'defects/carvelize-untagged-with-port': async (context) => {
    const [redis] = await carvelize(context);
    assert.equal(redis?.image.split('@')[0], `${SOURCE}/library/redis`);
    assert.equal((await listPlatformDigests(redis)).length, 3);
  },
};

/** Makes the bundle as recorded and reads its lock: each image in it is in the source. */
async function carvelize(context: ReplayContext): Promise<readonly ReadCarvelImage[]> {
  await runFirstStep(context, 0);
  await compareLock(context);
  const lock = join(context.sandbox.work, 'c/.imgpkg/images.yml');
  assert.equal((await stat(lock)).mode & 0o777, 0o600);
  const images = readCarvelLock(await readFile(lock));
  for (const { reference, image } of images) {
    const stored = await readStoredManifest(SOURCE, reference.repository, reference.digest ?? '');
    assert.ok(stored !== undefined, image);
  }
  return images;
}

async function listPlatformDigests(image: ReadCarvelImage | undefined): Promise<readonly string[]> {
  const { repository = '', digest = '' } = image?.reference ?? {};
  const stored = await readStoredManifest(SOURCE, repository, digest);
  return stored?.manifest.manifests?.map((child) => child.digest) ?? [];
}
