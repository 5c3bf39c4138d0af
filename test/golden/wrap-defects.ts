import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseImagesLock } from '../../src/domain/lock/parse-lock.ts';
import { readArchive, readArchiveFiles } from '../support/archives.ts';
import { goldenArguments } from '../support/golden.ts';
import { pushImage } from '../support/images.ts';
import { readStoredChart, readStoredManifest } from '../support/registry-content.ts';
import {
  SOURCE,
  TARGET,
  UNWRAP_FLAGS,
  checkFreshLockVerifies,
  checkSameDigests,
  runFirstStep,
  errorCode,
  chartYaml,
  packFolderAsWrap,
  hashFile,
  type DefectCheck,
} from './defect-checks.ts';
import { requireComplete } from './compare-registry.ts';
import { startTarget } from './replay-frame.ts';

/** Recorded defects of `wrap`, `images lock` and `info`. */
export const WRAP_DEFECTS: Readonly<Record<string, DefectCheck>> = {
  'defects/wrap-duplicates-blobs': async ({ sandbox }) => {
    // The recorded layers are too small to be worth a link: these are not.
    const options = { layerBytes: 200_000, sharedLayers: 1, sharedSeed: 'base' };
    for (const name of ['a', 'b']) await pushImage(SOURCE, `shared/${name}:1`, { ...options, seed: name });
    await mkdir(join(sandbox.work, 'own'));
    await writeFile(join(sandbox.work, 'own/Chart.yaml'), chartYaml([`${SOURCE}/shared/a:1`, `${SOURCE}/shared/b:1`]));
    await sandbox.runOk(['wrap', 'own', '--output-file', 'w.tgz']);
    const layers = (await readArchive(join(sandbox.work, 'w.tgz'))).filter(({ bytes }) => bytes.length >= 200_000);
    const copies = layers.filter(({ type }) => type === 'file').map(({ name }) => name.split('/').at(-1));
    assert.ok(layers.length > copies.length);
    assert.equal(new Set(copies).size, copies.length);
  },

  'defects/wrap-foreign-layer-fails': async (context) => {
    const { sandbox } = context;
    const target = await startTarget(context.t);
    const { stderr } = await runFirstStep(context, 0);
    assert.match(stderr, /Warning: .*left out.*special\/foreign:1\.0\.0.*--include-non-distributable-layers/);
    const names = [...(await readArchiveFiles(join(sandbox.work, 'c1-1.0.0.wrap.tgz'))).keys()];
    const stored = await readStoredManifest(SOURCE, 'special/foreign', '1.0.0');
    assert.ok(stored !== undefined);
    for (const layer of stored.manifest.layers ?? []) {
      const isForeign = /foreign|nondistributable/.test(layer.mediaType);
      assert.equal(
        names.some((name) => name.endsWith(layer.digest.slice('sha256:'.length))),
        !isForeign,
        layer.mediaType,
      );
    }
    await sandbox.runOk(['unwrap', 'c1-1.0.0.wrap.tgz', `${TARGET}/m`, ...UNWRAP_FLAGS]);
    assert.equal((await readStoredManifest(target.host, 'm/special/foreign', '1.0.0'))?.digest, stored.digest);
  },

  'defects/wrap-index-digest-reference-fails': async ({ t, sandbox }) => {
    const target = await startTarget(t);
    await sandbox.runOk(['wrap', 'c', '--output-file', 'w.tgz']);
    await sandbox.runOk(['unwrap', 'w.tgz', `${TARGET}/m`, ...UNWRAP_FLAGS]);
    const digest = 'sha256:36cd437b824ee99eb19e64f0a7af510b84cd5e282a2f255d44b284464794c026';
    assert.equal((await readStoredManifest(target.host, 'm/bitnami/nginx', digest))?.digest, digest);
  },

  'defects/wrap-not-reproducible': async ({ sandbox }) => {
    const env = { SOURCE_DATE_EPOCH: '1700000000' };
    for (const file of ['a.tgz', 'b.tgz']) await sandbox.runOk(['wrap', 'c', '--output-file', file], { env });
    assert.equal(await hashFile(join(sandbox.work, 'a.tgz')), await hashFile(join(sandbox.work, 'b.tgz')));
  },

  'defects/wrap-symlink-to-folder': async ({ sandbox }) => {
    // The recorded link leaves the chart: following it would carry the packer's files away. The data has it as a text.
    const link = join(sandbox.work, 'c/files');
    await rm(link);
    await symlink('../shared', link);
    const refused = await sandbox.run(['wrap', 'c', '--output-file', 'w.tgz']);
    assert.equal(errorCode(refused), 'DT_UNSAFE_ENTRY');
    assert.ok(!existsSync(join(sandbox.work, 'w.tgz')));
    await cp(join(sandbox.work, 'shared'), join(sandbox.work, 'c/shared'), { recursive: true });
    await rm(link);
    await symlink('shared', link);
    await sandbox.runOk(['wrap', 'c', '--output-file', 'w.tgz']);
    assert.equal((await readArchiveFiles(join(sandbox.work, 'w.tgz'))).get('chart/files/x.txt')?.toString(), 'x');
  },

  'defects/lock-arm-variants-do-not-verify': checkFreshLockVerifies,
  'defects/lock-windows-versions-do-not-verify': checkFreshLockVerifies,

  'defects/lock-fields-lost': async ({ t, sandbox }) => {
    const target = await startTarget(t);
    await packFolderAsWrap(sandbox.work, 'c', 'w.tgz');
    await sandbox.runOk(['unwrap', 'w.tgz', `${TARGET}/m`, '--skip-pull-images', ...UNWRAP_FLAGS]);
    const { files } = await readStoredChart(target.host, 'm/c', '1.0.0');
    const original = await readFile(join(sandbox.work, 'c/Images.lock'), 'utf8');
    assert.equal(files.get('Images.lock')?.toString(), original.replace('a/image:1', `${TARGET}/m/a/image:1`));
  },

  'defects/lock-missing-one-dependency-unnoticed': async ({ sandbox }) => {
    const result = await sandbox.run(['images', 'lock', 'c']);
    assert.equal(errorCode(result), 'DT_DEPENDENCY_MISSING');
    assert.match(result.stderr, /beta/);
    assert.ok(!existsSync(join(sandbox.work, 'c/Images.lock')));
  },

  'defects/lock-nested-index': async (context) => {
    const { sandbox } = context;
    const target = await startTarget(context.t);
    await runFirstStep(context, 0);
    const lockText = await readFile(join(sandbox.work, 'c/Images.lock'), 'utf8');
    const platformDigests = await listLeaves('special/nested', '1.0.0');
    assert.ok(platformDigests.length > 0);
    assert.deepEqual(
      parseImagesLock(lockText, 'Images.lock').images.map(({ digests }) => digests.map(({ digest }) => digest)),
      [platformDigests],
    );
    await sandbox.runOk(['wrap', 'c', '--output-file', 'w.tgz']);
    await sandbox.runOk(['unwrap', 'w.tgz', `${TARGET}/m`, ...UNWRAP_FLAGS]);
    await checkSameDigests(lockText, target.host);
    await requireComplete(target.host, 'm/special/nested', '1.0.0');
  },

  'defects/lock-platforms-space': async ({ goldenCase, sandbox }) => {
    const [step] = goldenCase.steps;
    assert.ok(step !== undefined);
    await sandbox.runOk(goldenArguments(step, sandbox));
    const lock = parseImagesLock(await readFile(join(sandbox.work, 'c/Images.lock'), 'utf8'), 'Images.lock');
    assert.deepEqual(
      lock.images[0]?.digests.map(({ arch }) => arch),
      ['linux/amd64', 'linux/arm64'],
    );
  },

  'defects/info-container-wrap': async ({ sandbox }) => {
    const stdout = await sandbox.runOk(['info', 'single-2.0.0.container.wrap.tgz', '--plain']);
    assert.match(stdout, /special\/single:2\.0\.0 \(linux\/amd64\)/);
  },

  'defects/info-truncated-wrap': async ({ t, sandbox }) => {
    // `info` of the Go tool's wraps stays quick and reads up to the lock; unwrap checks, and our own wraps have a footer.
    await sandbox.runOk(['info', 't.tgz', '--yaml']);
    const target = await startTarget(t);
    const unwrapped = await sandbox.run(['unwrap', 't.tgz', `${TARGET}/m`, ...UNWRAP_FLAGS]);
    assert.equal(errorCode(unwrapped), 'DT_WRAP_TRUNCATED');
    assert.deepEqual(target.requests, []);
    await mkdir(join(sandbox.work, 'own'));
    await writeFile(join(sandbox.work, 'own/Chart.yaml'), chartYaml([`${SOURCE}/one/app:1`]));
    await sandbox.runOk(['wrap', 'own', '--output-file', 'own.tgz']);
    const whole = await readFile(join(sandbox.work, 'own.tgz'));
    await writeFile(join(sandbox.work, 'own.tgz'), whole.subarray(0, whole.length - 10));
    for (const args of [
      ['info', 'own.tgz'],
      ['unwrap', 'own.tgz', `${TARGET}/m`, ...UNWRAP_FLAGS],
    ]) {
      assert.equal(errorCode(await sandbox.run(args)), 'DT_WRAP_TRUNCATED', args.join(' '));
    }
  },
};

/** The manifests below an index of the source, however deep, in its order. */
async function listLeaves(repository: string, tagOrDigest: string): Promise<string[]> {
  const stored = await readStoredManifest(SOURCE, repository, tagOrDigest);
  assert.ok(stored !== undefined);
  const { manifests } = stored.manifest;
  if (manifests === undefined) return [stored.digest];
  return (await Promise.all(manifests.map(async ({ digest }) => listLeaves(repository, digest)))).flat();
}
