import assert from 'node:assert/strict';
import { join } from 'node:path';
import { readArchiveFiles } from '../support/archives.ts';
import { goldenArguments } from '../support/golden.ts';
import { listTags, readStoredChart, readStoredManifest } from '../support/registry-content.ts';
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
import { startTarget } from './replay-frame.ts';
import { isWrite } from './replay-unwrap.ts';

/** Recorded defects of `unwrap`, also those of packed subcharts, which it relocates. */
export const UNWRAP_DEFECTS: Readonly<Record<string, DefectCheck>> = {
  'defects/unwrap-collision-overwrites': async (context) => checkRefused(context, 'DT_RELOCATION_COLLISION'),
  'defects/unwrap-light-wrap-pushes-empty-list': async (context) => checkRefused(context, 'DT_WRAP_INCOMPLETE'),
  'defects/unwrap-path-traversal': async (context) => checkRefused(context, 'DT_UNSAFE_ENTRY'),
  'defects/unwrap-tampered-manifest-is-pushed': async (context) => checkRefused(context, 'DT_DIGEST_MISMATCH'),
  'defects/unwrap-without-lock-pushes-chart-only': async (context) => checkRefused(context, 'DT_WRAP_INVALID'),
  'defects/unwrap-remote-input': async (context) => checkRefused(context, 'DT_USAGE'),
  'defects/unwrap-skip-image-relocation-writes-to-source': async (context) => checkRefused(context, 'DT_USAGE'),

  'defects/unwrap-digest-pin-in-values-breaks': checkSourceDigestKept,
  'defects/unwrap-index-digest-changes': checkSourceDigestKept,

  'defects/unwrap-digest-reference-fails': async ({ t, goldenCase, sandbox }) => {
    const target = await startTarget(t);
    await runFirstStep({ t, goldenCase, sandbox }, 0);
    const lock = await readWrapLock(join(sandbox.work, 'c1-1.0.0.wrap.tgz'));
    const [repository, digest] = lock.images[0]?.image.replace(`${SOURCE}/`, '').split('@') ?? [];
    assert.equal((await readStoredManifest(target.host, `m/${String(repository)}`, String(digest)))?.digest, digest);
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
