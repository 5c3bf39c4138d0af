import assert from 'node:assert/strict';
import { join } from 'node:path';
import { readArchiveFiles } from '../support/archives.ts';
import { goldenArguments } from '../support/golden.ts';
import { listTags, readStoredBlob, readStoredChart, readStoredManifest } from '../support/registry-content.ts';
import {
  SOURCE,
  TARGET,
  UNWRAP_FLAGS,
  runFirstStep,
  checkRefused,
  checkSourceDigestKept,
  listLock,
  packFolderAsWrap,
  readWrapLock,
  type DefectCheck,
} from './defect-checks.ts';
import { compareRegistry, requireComplete } from './compare-registry.ts';
import { startTarget } from './replay-frame.ts';
import { isWrite } from './replay-unwrap.ts';

/** Recorded defects of `unwrap`, also those of packed subcharts, which it relocates. */
export const UNWRAP_DEFECTS: Readonly<Record<string, DefectCheck>> = {
  'defects/unwrap-collision-overwrites': async (context) => checkRefused(context, 'DT_RELOCATION_COLLISION'),
  'defects/unwrap-light-wrap-pushes-empty-list': async (context) => checkRefused(context, 'DT_WRAP_INCOMPLETE'),
  'defects/unwrap-path-traversal': async (context) => checkRefused(context, 'DT_UNSAFE_ENTRY'),
  'defects/unwrap-tampered-manifest-is-pushed': async (context) => checkRefused(context, 'DT_DIGEST_MISMATCH'),
  'defects/unwrap-without-lock-pushes-chart-only': async (context) => checkRefused(context, 'DT_WRAP_INVALID'),
  'defects/unwrap-remote-input': async (context) => checkRefused(context, 'DT_WRAP_INVALID'),

  'defects/unwrap-skip-image-relocation-writes-to-source': async (context) => {
    const target = await startTarget(context.t);
    const before = await listTags(SOURCE);
    const { stderr } = await runFirstStep(context, 0);
    assert.match(stderr, /Warning: --skip-image-relocation pushes no image/);
    assert.deepEqual(await listTags(SOURCE), before);
    assert.deepEqual([...(await listTags(target.host)).keys()], ['m/c1:1.0.0']);
    const { files } = await readStoredChart(target.host, 'm/c1', '1.0.0');
    for (const [name, bytes] of await readArchiveFiles(join(context.sandbox.work, 'c1-1.0.0.wrap.tgz'))) {
      if (name.startsWith('chart/')) assert.ok(files.get(name.slice('chart/'.length))?.equals(bytes), name);
    }
  },

  'defects/unwrap-digest-pin-in-values-breaks': checkSourceDigestKept,
  'defects/unwrap-index-digest-changes': checkSourceDigestKept,

  'defects/unwrap-digest-reference-fails': async ({ t, goldenCase, sandbox }) => {
    const target = await startTarget(t);
    await runFirstStep({ t, goldenCase, sandbox }, 0);
    const lock = await readWrapLock(join(sandbox.work, 'c1-1.0.0.wrap.tgz'));
    const [repository, digest] = lock.images[0]?.image.replace(`${SOURCE}/`, '').split('@') ?? [];
    assert.equal((await readStoredManifest(target.host, `m/${String(repository)}`, String(digest)))?.digest, digest);
  },

  'defects/unwrap-chart-metadata-not-pushed': async (context) => {
    // The wanted tag sha256-HEX.metadata is left out: the digest of a chart that is rewritten is another with every run.
    const target = await startTarget(context.t);
    await runFirstStep(context, 0);
    const difference = { chartMetadataOf: 'signed-1.0.0.wrap.tgz' };
    await compareRegistry(target.host, context.goldenCase, difference);
    await context.sandbox.runOk(['wrap', `oci://${SOURCE}/bitnamicharts/signed`, '--output-file', 'own.tgz']);
    await context.sandbox.runOk(['unwrap', 'own.tgz', `${TARGET}/own`, ...UNWRAP_FLAGS]);
    const { digest } = (await readStoredManifest(SOURCE, 'bitnamicharts/signed', '1.0.0-metadata')) ?? { digest: '' };
    for (const tag of ['1.0.0-metadata', `${digest.replace(':', '-')}.sig`]) {
      const source = await readStoredManifest(SOURCE, 'bitnamicharts/signed', tag);
      assert.ok(source !== undefined);
      assert.equal((await readStoredManifest(target.host, 'own/signed', tag))?.digest, source.digest, tag);
      await requireComplete(target.host, 'own/signed', tag);
    }
  },

  'defects/unwrap-signature-does-not-verify': async (context) => {
    const { sandbox } = context;
    const target = await startTarget(context.t);
    // The Go tool's wrap has no index: only what is signed as a single manifest can verify, and the other is told.
    const { stderr } = await runFirstStep(context, 0);
    assert.match(stderr, /the signature of \S+\/bitnami\/signed:1\.0\.0 does not verify/);
    assert.doesNotMatch(stderr, /signature of \S+signed-single/);
    await checkSignedDigest(target.host, 'm/bitnami/signed-single');
    await assert.rejects(checkSignedDigest(target.host, 'm/bitnami/signed'), { code: 'ERR_ASSERTION' });
    await sandbox.runOk(['wrap', `oci://${SOURCE}/bitnamicharts/signed`, '--output-file', 'own.tgz']);
    const own = await sandbox.run(['unwrap', 'own.tgz', `${TARGET}/own`, ...UNWRAP_FLAGS]);
    assert.equal(own.code, 0, own.stderr);
    assert.doesNotMatch(own.stderr, /does not verify/);
    for (const name of ['signed', 'signed-single']) {
      await checkSignedDigest(target.host, `own/bitnami/${name}`);
      const source = await readStoredManifest(SOURCE, `bitnami/${name}`, '1.0.0');
      assert.equal((await readStoredManifest(target.host, `own/bitnami/${name}`, '1.0.0'))?.digest, source?.digest);
    }
  },

  'defects/unwrap-leaves-temporary-folder': async (context) => {
    await startTarget(context.t);
    await runFirstStep(context, 0);
    assert.deepEqual(await context.sandbox.listTemporary(), []);
    const failed = await context.sandbox.run(['unwrap', 'c1-1.0.0.wrap.tgz', '127.0.0.1:9/m', ...UNWRAP_FLAGS]);
    assert.equal(failed.code, 5);
    assert.deepEqual(await context.sandbox.listTemporary(), []);
  },

  'defects/unwrap-no-terminal-hangs': async (context) => {
    const target = await startTarget(context.t);
    const [step] = context.goldenCase.steps;
    assert.ok(step !== undefined);
    const args = goldenArguments(step, context.sandbox);
    for (const stdin of ['', 'n\n', '\n']) {
      const refused = await context.sandbox.run(args, { stdin, timeoutMs: 20_000 });
      assert.equal(refused.code, 0, refused.stderr);
      assert.match(refused.stdout.trimEnd().split('\n').at(-1) ?? '', /--yes/);
      assert.deepEqual(target.requests.filter(isWrite), []);
    }
    await context.sandbox.runOk(args, { stdin: 'y\n', timeoutMs: 20_000 });
    assert.deepEqual([...(await listTags(target.host)).keys()].sort(), ['m/c1:1.0.0', 'm/special/single:2.0.0']);
  },

  'defects/unwrap-trailing-slash-message': async (context) => {
    const target = await startTarget(context.t);
    const { stdout } = await runFirstStep(context, 0);
    assert.match(stdout, /helm install oci:\/\/127\.0\.0\.1:5102\/m\/c1 /);
    assert.deepEqual([...(await listTags(target.host)).keys()].sort(), ['m/c1:1.0.0', 'm/special/single:2.0.0']);
  },

  'defects/subchart-archive-fails': async ({ t, sandbox }) => {
    const target = await startTarget(t);
    await packFolderAsWrap(sandbox.work, 'c', 'w.tgz', await listLock(sandbox, 'c'));
    await sandbox.runOk(['unwrap', 'w.tgz', `${TARGET}/m`, '--skip-pull-images', ...UNWRAP_FLAGS]);
    const { files } = await readStoredChart(target.host, 'm/c', '1.0.0');
    assert.match(files.get('Chart.yaml')?.toString() ?? '', /image: 127\.0\.0\.1:5102\/m\/x\/parent:1/);
    const subchart = await readArchiveFiles(files.get('charts/alpha-1.0.0.tgz') ?? Buffer.alloc(0));
    assert.match(subchart.get('Chart.yaml')?.toString() ?? '', /image: 127\.0\.0\.1:5102\/m\//);
  },

  'defects/subchart-folder-name-differs': async ({ t, sandbox }) => {
    const target = await startTarget(t);
    await packFolderAsWrap(sandbox.work, 'c', 'w.tgz', await listLock(sandbox, 'c'));
    await sandbox.runOk(['unwrap', 'w.tgz', `${TARGET}/m`, '--skip-pull-images', ...UNWRAP_FLAGS]);
    const { files } = await readStoredChart(target.host, 'm/c', '1.0.0');
    assert.match(files.get('charts/foo/Chart.yaml')?.toString() ?? '', /image: 127\.0\.0\.1:5102\/m\/x\/alpha:1/);
  },
};

/** The payload under the tag for signatures names the digest that the image has: without that no key verifies it. */
async function checkSignedDigest(host: string, repository: string): Promise<void> {
  const image = await readStoredManifest(host, repository, '1.0.0');
  const signature = await readStoredManifest(host, repository, `${String(image?.digest.replace(':', '-'))}.sig`);
  const [layer] = signature?.manifest.layers ?? [];
  assert.ok(layer !== undefined, `${repository} has no signature for the digest of its tag`);
  const payload = JSON.parse((await readStoredBlob(host, repository, layer.digest)).toString()) as {
    critical: { image: { 'docker-manifest-digest': string } };
  };
  assert.equal(payload.critical.image['docker-manifest-digest'], image?.digest);
}
