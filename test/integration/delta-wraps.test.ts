import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { prepareDelta, readLargeBlobs, statusOfBlob, unwrap, unwrapArguments } from '../support/delta-site.ts';
import { findDistribution2, startDistribution2, startEmbeddedRegistry } from '../support/registries.ts';
import { listTags } from '../support/registry-content.ts';
import { DT_PATH } from '../support/run-cli.ts';
import { prepareShopReleases, type ShopReleases } from '../support/shop-releases.ts';
import { skipLoudly } from '../support/skip-loudly.ts';

/** Time for what was received to reach the file. */
const SETTLE_MS = 500;

for (const [name, start] of [
  ['the embedded registry', startEmbeddedRegistry],
  ['distribution 2', findDistribution2() === undefined ? undefined : startDistribution2],
] as const) {
  test(`a delta carries what is new only, and gives ${name} what the whole wrap gives`, async (t) => {
    if (start === undefined) {
      skipLoudly(t, 'distribution 2 is not installed');
      return;
    }
    const releases = await prepareShopReleases(t);
    const { sandbox } = releases;
    const [target, reference] = await Promise.all([start(), startEmbeddedRegistry()]);
    t.after(async () => Promise.all([target.close(), reference.close()]));
    await sandbox.runOk(['wrap', 'shop-2', '--output-file', 'v2.wrap.tgz']);
    await sandbox.runOk(['wrap', 'shop-2', '--base', 'v1.wrap.tgz']);
    const [whole, delta] = [await readLargeBlobs(sandbox.work, 'v2.wrap.tgz'), await readLargeBlobs(sandbox.work)];
    const expected = [...whole].filter((digest) => !isOld(releases, digest));
    assert.deepEqual([...delta].sort(), expected.sort());
    assert.equal(expected.length, 4, 'two layers of two images');

    await unwrap(releases, 'v1.wrap.tgz', target.host);
    await unwrap(releases, 'shop-1.3.0.delta.wrap.tgz', target.host);
    for (const file of ['v1.wrap.tgz', 'v2.wrap.tgz']) await unwrap(releases, file, reference.host);
    assert.deepEqual(await listImageTags(target.host), await listImageTags(reference.host));
    for (const [repository, image] of releases.added) {
      const [name = ''] = repository.split(':');
      for (const digest of image.blobs) assert.equal(await statusOfBlob(target.host, `mirror/${name}`, digest), 200);
    }
  });
}

test('a lock is a base as well; what its registry has lost is not left out', async (t) => {
  const releases = await prepareDelta(t);
  const { sandbox, source, old, target } = releases;
  await sandbox.runOk(['images', 'lock', 'shop-1', '--output-file', 'base.lock']);
  await sandbox.runOk(['wrap', 'shop-2', '--base', 'base.lock', '--output-file', 'l.tgz']);
  assert.deepEqual(await readLargeBlobs(sandbox.work, 'l.tgz'), await readLargeBlobs(sandbox.work, 'd.tgz'));
  await unwrap(releases, 'v1.wrap.tgz', target.host);
  await unwrap(releases, 'l.tgz', target.host);

  const api = old.get('team/api:1.0') ?? assert.fail();
  for (const digest of [api.digest, ...api.manifests.map((manifest) => manifest.digest)]) {
    await fetch(`http://${source.host}/v2/team/api/manifests/${digest}`, { method: 'DELETE' });
  }
  const { code, stderr } = await sandbox.run(['wrap', 'shop-2', '--base', 'base.lock', '--output-file', 'l2.tgz']);
  assert.equal(code, 0);
  assert.match(stderr, /nothing is left out for \S+\/team\/api:1\.0 of base\.lock/);
});

test('a wrap that adds nothing works', async (t) => {
  const releases = await prepareDelta(t);
  const { sandbox, target } = releases;
  await unwrap(releases, 'v1.wrap.tgz', target.host);
  await sandbox.runOk(['wrap', 'shop-1', '--base', 'v1.wrap.tgz', '--output-file', 'same.tgz']);
  assert.deepEqual([...(await readLargeBlobs(sandbox.work, 'same.tgz'))], []);
  await unwrap(releases, 'same.tgz', target.host);
  const next = await startEmbeddedRegistry();
  t.after(async () => next.close());
  await unwrap(releases, 'v1.wrap.tgz', next.host, 'other');
  assert.equal((await sandbox.run(unwrapArguments('same.tgz', next.host))).code, 3);
});

test('a delta is a base of the next one, and of several bases each counts', async (t) => {
  const releases = await prepareDelta(t);
  const { sandbox, target } = releases;
  await sandbox.runOk(['wrap', 'shop-2', '--base', 'd.tgz', '--output-file', 'd2.tgz']);
  assert.deepEqual([...(await readLargeBlobs(sandbox.work, 'd2.tgz'))], []);
  await sandbox.runOk(['wrap', 'shop-2', '--base', 'v1.wrap.tgz', '--base', 'd.tgz', '--output-file', 'd3.tgz']);
  for (const file of ['v1.wrap.tgz', 'd.tgz', 'd2.tgz', 'd3.tgz']) await unwrap(releases, file, target.host);
  const information = JSON.parse(await sandbox.runOk(['info', 'd3.tgz', '--json'])) as {
    readonly contents: { readonly bases: readonly unknown[] };
  };
  assert.deepEqual(information.contents.bases, [
    { kind: 'wrap', name: 'v1.wrap.tgz' },
    { kind: 'wrap', name: 'd.tgz' },
  ]);
});

test('info and verify say that it is a delta', async (t) => {
  const { sandbox } = await prepareDelta(t);
  const information = await sandbox.runOk(['info', 'd.tgz']);
  assert.match(information, /Delta to: v1\.wrap\.tgz/);
  assert.match(information, /Left out: 5 blobs, 501\.\d kB/);
  assert.match(await sandbox.runOk(['verify', 'd.tgz']), /Needs a base: 5 blobs, 501\.\d kB \(v1\.wrap\.tgz\)/);
  const { omitted } = JSON.parse(await sandbox.runOk(['verify', 'd.tgz', '--json'])) as {
    readonly omitted: { readonly blobCount: number; readonly blobBytes: number; readonly bases: readonly string[] };
  };
  assert.deepEqual([omitted.blobCount, omitted.bases], [5, ['v1.wrap.tgz']]);
  assert.doesNotMatch(await sandbox.runOk(['verify', 'v1.wrap.tgz']), /Needs a base/);
});

test('what cannot be a delta is refused', async (t) => {
  const { sandbox } = await prepareDelta(t);
  const bytes = await readFile(join(sandbox.work, 'v1.wrap.tgz'));
  await writeFile(join(sandbox.work, 'cut.tgz'), bytes.subarray(0, bytes.length >> 1));
  await writeFile(join(sandbox.work, 'odd.lock'), 'images: [1');
  await sandbox.runOk(['wrap', 'shop-1', '--skip-pull-images', '--output-file', 'light.tgz']);
  for (const [code, ...args] of [
    [2, '--base', 'v1.wrap.tgz', '--compat'],
    [2, '--base', 'v1.wrap.tgz', '--skip-pull-images'],
    [2, '--base', 'light.tgz'],
    [1, '--base', 'absent.tgz'],
    [3, '--base', 'cut.tgz'],
    [3, '--base', 'odd.lock'],
  ] as const) {
    const result = await sandbox.run(['wrap', 'shop-2', '--output-file', 'x.tgz', ...args]);
    assert.equal(result.code, code, `${args.join(' ')}\n${result.stderr}`);
  }
});

test('what a wrap is made from is not overwritten by it', async (t) => {
  const { sandbox } = await prepareDelta(t);
  const before = await readFile(join(sandbox.work, 'v1.wrap.tgz'));
  await sandbox.runOk(['wrap', 'shop-1', '--split', '1MB', '--output-file', 'parts.tgz']);
  await sandbox.runOk(['-czf', 'chart.tgz', 'shop-1'], { command: 'tar' });
  for (const args of [
    ['shop-2', '--base', 'v1.wrap.tgz', '--output-file', './v1.wrap.tgz'],
    ['shop-2', '--base', 'parts.tgz.001', '--split', '1MB', '--output-file', 'parts.tgz'],
    ['chart.tgz', '--output-file', 'chart.tgz'],
  ]) {
    const { code, stderr } = await sandbox.run(['wrap', ...args]);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /is read for the wrap and cannot be its output file/);
  }
  assert.ok(before.equals(await readFile(join(sandbox.work, 'v1.wrap.tgz'))));
});

test('an image alone is wrapped as a delta', async (t) => {
  const { sandbox, source, target } = await prepareDelta(t);
  const reference = (name: string): string => `${source.host}/team/${name}`;
  await sandbox.runOk(['images', 'wrap', reference('api:1.0'), '--output-file', 'api.tgz']);
  await sandbox.runOk(['images', 'wrap', reference('api:1.1'), '--base', 'api.tgz']);
  const file = 'api-1.1.delta.container.wrap.tgz';
  assert.equal((await readLargeBlobs(sandbox.work, file)).size, 2);
  const push = ['images', 'unwrap', file, `${target.host}/mirror`, '--yes'];
  assert.equal((await sandbox.run(push)).code, 3);
  await sandbox.runOk(['images', 'unwrap', 'api.tgz', `${target.host}/mirror`, '--yes']);
  await sandbox.runOk(push);
});

test('an interrupted delta goes on where it stopped, and nothing is fetched that it leaves out', async (t) => {
  const { sandbox, source, old, added } = await prepareDelta(t);
  const layersOf = (images: ShopReleases['old']): string[] =>
    [...images.values()].flatMap(({ manifests }) => manifests.flatMap(({ layers }) => layers));
  const [left, wanted] = [new Set(layersOf(old)), new Set(layersOf(added))];
  const fresh = [...wanted].filter((digest) => !left.has(digest));
  const [stalled = ''] = fresh;
  const sent = new Set<string>();
  source.stallBlob = (digest) => digest === stalled;
  const isMidway = new Promise<void>((resolve) => {
    source.onBlob = (digest, outcome) => {
      if (outcome === 'sent' && fresh.includes(digest)) sent.add(digest);
      if (sent.size === fresh.length - 1) resolve();
    };
  });
  const args = ['wrap', 'shop-2', '--base', 'v1.wrap.tgz', '--output-file', 'again.tgz'];
  const env = { ...process.env, ...sandbox.env, SOURCE_DATE_EPOCH: '1700000000' };
  const child = spawn(DT_PATH, args, { cwd: sandbox.work, env, stdio: 'ignore' });
  const exited = once(child, 'exit');
  await isMidway;
  await sleep(SETTLE_MS);
  child.kill('SIGKILL');
  await exited;
  source.stallBlob = () => false;
  source.requests.length = 0;
  await sandbox.runOk(args, { env: { SOURCE_DATE_EPOCH: '1700000000' } });
  const fetched = source.requests.filter((request) => /^GET .*\/blobs\//.test(request));
  assert.deepEqual(
    fetched.map((request) => request.split('/blobs/')[1]),
    [stalled],
  );
  await sandbox.runOk([...args.slice(0, -1), 'whole.tgz'], { env: { SOURCE_DATE_EPOCH: '1700000000' } });
  const [resumed, whole] = await Promise.all(
    ['again.tgz', 'whole.tgz'].map(async (file) => readFile(join(sandbox.work, file))),
  );
  assert.ok(resumed?.equals(whole ?? Buffer.alloc(0)));
  assert.ok(!source.requests.some((request) => left.has(request.split('/blobs/')[1] ?? '')));
});

/** The charts differ by the name of their registry. */
async function listImageTags(host: string): Promise<Map<string, string>> {
  return new Map([...(await listTags(host))].filter(([name]) => !name.startsWith('mirror/shop:')));
}

function isOld({ old }: ShopReleases, digest: string): boolean {
  return [...old.values()].some(({ blobs }) => blobs.some((blob) => blob === digest));
}
