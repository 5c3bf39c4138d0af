import assert from 'node:assert/strict';
import { readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { digestOf, type Digest } from '../../src/domain/oci/digest.ts';
import { pushAttestedImage, pushReferrer } from '../support/attested-images.ts';
import {
  EMBEDDED,
  openFidelitySite,
  TARGET_KINDS,
  unwrapToJson,
  writeImageChart,
  type FidelitySite,
  type TargetKind,
} from '../support/fidelity-site.ts';
import { assertIdentical } from '../support/foreign-clients.ts';
import { pushBlob, pushImage, randomBytesOf } from '../support/images.ts';

const EPOCH = { SOURCE_DATE_EPOCH: '1700000000' };
const BOTH = ['wrap', 'front', 'back', '--output-file', 'both.tgz'];
const LAYER_BYTES = 300_000;

for (const kind of TARGET_KINDS) {
  test(`charts of one wrap arrive in ${kind.name} in each mode`, async (t) => {
    const site = await openTwoCharts(t, kind);
    if (site === undefined) return;
    const { sandbox, source, target, clients } = site;
    await sandbox.runOk(BOTH);
    for (const mode of ['rewrite', 'keep', 'overlay']) {
      const prefix = `${target.host}/${mode}`;
      const said = await sandbox.run(['unwrap', 'both.tgz', prefix, '--yes', '--chart-mode', mode]);
      assert.equal(said.code, 0, said.stderr);
      assert.match(said.stderr, /3 images, 3 digests identical/);
      assert.equal(said.stdout.match(/helm install/g)?.length, 2, said.stdout);
      for (const name of ['base', 'front', 'back']) {
        await assertIdentical(clients, `${source.host}/team/${name}`, `${prefix}/team/${name}`, '1');
      }
      for (const chart of ['front', 'back']) assert.deepEqual(await clients.tags(`${prefix}/${chart}`), ['1.0.0']);
    }
    await sandbox.runOk(['unwrap', 'both.tgz', `${target.host}/one`, '--yes', '--chart', 'back']);
    assert.deepEqual(await clients.tags(`${target.host}/one/back`), ['1.0.0']);
    assert.equal(await clients.digest(`${target.host}/one/front:1.0.0`), undefined);
    assert.equal(await clients.digest(`${target.host}/one/team/front:1`), undefined);
    const { code, stderr } = await sandbox.run([
      'unwrap',
      'both.tgz',
      `${target.host}/one`,
      '--yes',
      '--chart',
      'other',
    ]);
    assert.equal(code, 2);
    assert.match(stderr, /has no chart other[^]*front-1\.0\.0, back-1\.0\.0/);
  });
}

test('the tree of each chart is that of its own wrap, and what both need is stored once', async (t) => {
  const site = await openTwoCharts(t, EMBEDDED);
  if (site === undefined) return;
  const { sandbox } = site;
  const sizes = new Map<string, number>();
  for (const [file, charts] of [
    ['both', ['front', 'back']],
    ['front', ['front']],
    ['back', ['back']],
  ] as const) {
    await sandbox.runOk(['wrap', ...charts, '--output-file', `${file}.tgz`], { env: EPOCH });
    sizes.set(file, (await stat(join(sandbox.work, `${file}.tgz`))).size);
    await sandbox.runOk(['-xzf', `${file}.tgz`], { command: 'tar' });
    for (const chart of charts) {
      await rename(join(sandbox.work, `${chart}-1.0.0`), join(sandbox.work, `${file}-${chart}`));
    }
  }
  for (const chart of ['front', 'back']) {
    const own = await readTree(join(sandbox.work, `${chart}-${chart}`));
    assert.deepEqual(await readTree(join(sandbox.work, `both-${chart}`)), own);
    assert.ok([...own.keys()].some((path) => path.startsWith('images/')));
  }
  assert.ok((await readdir(join(sandbox.work, 'both-front'))).includes('.dt'));
  assert.ok(!(await readdir(join(sandbox.work, 'both-back'))).includes('.dt'));
  // Layers of two platforms of the image that both charts use.
  const sharedBytes = 2 * LAYER_BYTES;
  const saved = (sizes.get('front') ?? 0) + (sizes.get('back') ?? 0) - (sizes.get('both') ?? 0);
  assert.ok(saved > sharedBytes && saved < sharedBytes * 1.1, String(saved));
});

test('every blob of an unpacked wrap of several is whole', async (t) => {
  const site = await openTwoCharts(t, EMBEDDED);
  if (site === undefined) return;
  const { sandbox } = site;
  await sandbox.runOk(BOTH);
  await sandbox.runOk(['-xzf', 'both.tgz'], { command: 'tar' });
  for (const chart of ['front', 'back']) {
    const files = await readTree(join(sandbox.work, `${chart}-1.0.0`));
    const blobs = [...files].filter(([path]) => path.includes('.layout/blobs/'));
    for (const [path, digest] of blobs) assert.ok(path.endsWith(digest.replace(':', '/')), path);
    // An index, two platforms and their attestations for the image of its own, and for the one of both; an artifact.
    const layouts = new Set(blobs.map(([path]) => path.split('/')[1]));
    assert.ok(layouts.size >= 6, String(layouts.size));
  }
});

test('info shows all charts, or those asked for', async (t) => {
  const site = await openTwoCharts(t, EMBEDDED);
  if (site === undefined) return;
  const { sandbox } = site;
  await sandbox.runOk(BOTH);
  const all = await sandbox.runOk(['info', 'both.tgz']);
  for (const text of ['front', 'back', 'team/front:1', 'team/back:1']) assert.ok(all.includes(text), all);
  const one = await sandbox.runOk(['info', 'both.tgz', '--chart', 'back']);
  assert.ok(one.includes('team/back:1'), one);
  assert.ok(!one.includes('team/front:1'), one);
});

test('several charts need a name for the file, differ, and are nothing for the Go dt', async (t) => {
  const site = await openTwoCharts(t, EMBEDDED);
  if (site === undefined) return;
  const { sandbox } = site;
  for (const [args, message] of [
    [['wrap', 'front', 'back'], /need a name for the file/],
    [['wrap', 'front', 'back', 'front', '--output-file', 'w.tgz'], /front-1\.0\.0 is given twice/],
    [[...BOTH, '--compat'], /--compat takes one/],
  ] as const) {
    const { code, stderr } = await sandbox.run(args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, message);
  }
  assert.deepEqual((await readdir(sandbox.work)).toSorted(), ['back', 'front']);
});

test('a wrap of several that was interrupted in the second goes on', async (t) => {
  const site = await openTwoCharts(t, EMBEDDED);
  if (site === undefined) return;
  const { sandbox, source, sourceRequests } = site;
  const layer = randomBytesOf('layer of its own', LAYER_BYTES);
  const { digest } = await pushBlob(source.host, 'team/back', layer, 'text/plain');
  await pushReferrer(
    { host: source.host, repository: 'team/back' },
    { digest: site.backDigest },
    'application/x.large',
    {
      layers: [{ mediaType: 'text/plain', digest, size: layer.length }],
    },
  );
  const url = `http://${source.host}/v2/team/back/blobs/${digest}`;
  assert.equal((await fetch(url, { method: 'DELETE' })).status, 202);
  const failed = await sandbox.run(BOTH);
  assert.equal(failed.code, 5, failed.stderr);
  assert.ok((await readdir(sandbox.work)).includes('both.tgz.partial'));
  await pushBlob(source.host, 'team/back', layer, 'text/plain');
  const before = sourceRequests.length;
  const { code, stderr } = await sandbox.run(BOTH);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /Going on with an interrupted wrap: \d+ blobs kept/);
  const fetched = sourceRequests.slice(before).filter((request) => /^GET .*\/blobs\//.test(request));
  assert.deepEqual(fetched, [`GET /v2/team/back/blobs/${digest} 200`]);
  await unwrapToJson(site, 'both.tgz');
});

/** The charts `front` and `back`: an image for each, and one with large layers that both use. */
async function openTwoCharts(
  t: TestContext,
  kind: TargetKind,
): Promise<(FidelitySite & { readonly backDigest: Digest }) | undefined> {
  const site = await openFidelitySite(t, kind);
  if (site === undefined) return undefined;
  const { sandbox, source } = site;
  await pushImage(source.host, 'team/base:1', { layers: 1, layerBytes: LAYER_BYTES });
  let backDigest: Digest | undefined;
  for (const name of ['front', 'back']) {
    const place = { host: source.host, repository: `team/${name}` };
    const { index } = await pushAttestedImage(place, '1', ['linux/amd64', 'linux/arm64']);
    await pushReferrer(place, index, 'application/vnd.example.signature');
    const images = [name, 'base'].map((repository) => `${source.host}/team/${repository}:1`);
    await writeImageChart(sandbox, { name, images });
    if (name === 'back') backDigest = index.digest;
  }
  assert.ok(backDigest !== undefined);
  return { ...site, backDigest };
}

/** The digest of every file of a folder, without `.dt/`. */
async function readTree(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = new Map<string, string>();
  for (const entry of entries.filter((item) => item.isFile())) {
    const path = join(entry.parentPath, entry.name).slice(folder.length + 1);
    if (!path.startsWith('.dt/')) files.set(path, digestOf(await readFile(join(folder, path))));
  }
  return files;
}
