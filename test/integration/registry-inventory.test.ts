import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Inventory } from '../../src/domain/wrap/inventory.ts';
import { pushImage, pushManifest } from '../support/images.ts';
import {
  findDistribution2,
  startDistribution2,
  startEmbeddedRegistry,
  TEST_CREDENTIALS,
} from '../support/registries.ts';
import { listTags } from '../support/registry-content.ts';
import { startRegistryProxy } from '../support/registry-proxy.ts';
import { createSandbox } from '../support/sandbox.ts';
import { prepareShopReleases } from '../support/shop-releases.ts';
import { skipLoudly } from '../support/skip-loudly.ts';

for (const [name, start] of [
  ['the embedded registry', startEmbeddedRegistry],
  ['distribution 2', findDistribution2() === undefined ? undefined : startDistribution2],
] as const) {
  test(`what ${name} has is left out of a delta, which it takes`, async (t) => {
    if (start === undefined) {
      skipLoudly(t, 'distribution 2 is not installed');
      return;
    }
    const { sandbox, sharedLayer } = await prepareShopReleases(t);
    const target = await start();
    t.after(async () => target.close());
    // Other names than those under which the delta goes there: an inventory names repositories as they are.
    await sandbox.runOk(['unwrap', 'v1.wrap.tgz', `${target.host}/mirror`, '--naming', 'flatten', '--yes']);
    await sandbox.runOk(['inventory', `oci://${target.host}/mirror`, '--output-file', 'i.json']);
    const inventory = JSON.parse(await readFile(join(sandbox.work, 'i.json'), 'utf8')) as Inventory;
    assert.deepEqual(
      inventory.repositories.map(({ name }) => name),
      ['mirror/library-cache', 'mirror/shop', 'mirror/team-api', 'mirror/team-worker'],
    );
    const tags = Object.fromEntries(await listTags(target.host));
    const listed = inventory.repositories.flatMap(({ name, tags }) =>
      Object.entries(tags).map(([tag, digest]) => [`${name}:${tag}`, digest]),
    );
    assert.deepEqual(Object.fromEntries(listed), tags);
    assert.ok(
      inventory.repositories.every(({ name, blobs }) => name.endsWith('/shop') || blobs.some((b) => b === sharedLayer)),
    );

    await sandbox.runOk(['wrap', 'shop-2', '--base', 'i.json', '--output-file', 'd.tgz']);
    await sandbox.runOk(['wrap', 'shop-2', '--base', 'v1.wrap.tgz', '--output-file', 'w.tgz']);
    assert.equal(await omittedBytes(sandbox, 'd.tgz'), await omittedBytes(sandbox, 'w.tgz'));
    await sandbox.runOk(['unwrap', 'd.tgz', `${target.host}/mirror`, '--yes']);
    assert.ok((await listTags(target.host)).has('mirror/team/web:1.0'));
    assert.equal((await sandbox.run(['unwrap', 'w.tgz', `${target.host}/elsewhere`, '--yes'])).code, 3);
  });
}

test('what an inventory lists beside the prefix of the unwrap is not taken', async (t) => {
  const { sandbox } = await prepareShopReleases(t);
  const target = await startEmbeddedRegistry();
  t.after(async () => target.close());
  await sandbox.runOk(['unwrap', 'v1.wrap.tgz', `${target.host}/private`, '--naming', 'flatten', '--yes']);
  await sandbox.runOk(['inventory', `oci://${target.host}`, '--output-file', 'i.json']);
  await sandbox.runOk(['wrap', 'shop-2', '--base', 'i.json', '--output-file', 'd.tgz']);
  const tags = await listTags(target.host);
  const { code, stderr } = await sandbox.run(['unwrap', 'd.tgz', `${target.host}/mirror`, '--yes']);
  assert.equal(code, 3, stderr);
  assert.match(stderr, /DT_BASE_MISSING/);
  assert.deepEqual(await listTags(target.host), tags);
  await sandbox.runOk(['unwrap', 'd.tgz', target.host, '--yes']);
});

test('each manifest is read once, and the same registry gives the same inventory', async (t) => {
  const sandbox = await createSandbox(t);
  const registry = await startEmbeddedRegistry();
  t.after(async () => registry.close());
  for (const reference of ['a/x:1', 'a/x:2', 'b/x:1', 'a/y/z:1', 'ab/x:1']) await pushImage(registry.host, reference);
  const before = registry.requests.length;
  const first = await sandbox.runOk(['inventory', `oci://${registry.host}`]);
  const reads = registry.requests.slice(before).filter((request) => /^GET \S+\/manifests\//.test(request));
  assert.equal(reads.length, 3, 'an index and its two manifests');
  assert.equal(await sandbox.runOk(['inventory', `oci://${registry.host}`, '--concurrency', '1']), first);
  assert.equal(await sandbox.runOk(['inventory', `oci://${registry.host}`, '--output-file', '-']), first);
  const below = JSON.parse(await sandbox.runOk(['inventory', `oci://${registry.host}/a`, '--json'])) as Inventory;
  assert.deepEqual(
    below.repositories.map(({ name }) => name),
    ['a/x', 'a/y/z'],
  );
  assert.deepEqual(Object.keys(below.repositories[0]?.tags ?? {}), ['1', '2']);
});

test('an index without some of its children is listed for what there is', async (t) => {
  const sandbox = await createSandbox(t);
  const registry = await startEmbeddedRegistry({ sparseIndexes: true });
  t.after(async () => registry.close());
  const image = await pushImage(registry.host, 'a/x:1');
  const lost = image.manifests[1]?.digest ?? assert.fail();
  assert.equal((await fetch(`http://${registry.host}/v2/a/x/manifests/${lost}`, { method: 'DELETE' })).status, 202);
  const { repositories } = JSON.parse(await sandbox.runOk(['inventory', registry.host])) as Inventory;
  const [kept] = image.manifests;
  assert.deepEqual(repositories[0]?.blobs, [kept?.config, ...(kept?.layers ?? [])].sort());
});

test('a registry that does not list its repositories is asked for those that are named', async (t) => {
  const sandbox = await createSandbox(t);
  const registry = await startEmbeddedRegistry();
  const proxy = await startRegistryProxy(registry.host);
  t.after(async () => Promise.all([proxy.close(), registry.close()]));
  await pushImage(registry.host, 'a/x:1');
  for (const [status, exitCode] of [
    [401, 4],
    [403, 4],
    [404, 5],
    [405, 5],
  ] as const) {
    proxy.refuse = (_, path) => (path.startsWith('/v2/_catalog') ? { status, body: { errors: [] } } : undefined);
    const { code, stderr } = await sandbox.run(['inventory', `${proxy.host}/a`]);
    assert.equal(code, exitCode, stderr);
    assert.match(stderr, /--repository NAME/);
  }
  const { repositories } = JSON.parse(
    await sandbox.runOk(['inventory', `${proxy.host}/a`, '--repository', 'x']),
  ) as Inventory;
  assert.deepEqual(
    repositories.map(({ name }) => name),
    ['a/x'],
  );
  assert.equal((await sandbox.run(['inventory', `${proxy.host}/a`, '--repository', 'lost'])).code, 5);
  assert.equal((await sandbox.run(['inventory', `${proxy.host}/a`, '--repository', '../x'])).code, 2);
});

test('a place without tags, and one that is no registry', async (t) => {
  const sandbox = await createSandbox(t);
  const registry = await startEmbeddedRegistry();
  t.after(async () => registry.close());
  await pushImage(registry.host, 'a/x:1');
  const { code, stderr } = await sandbox.run(['inventory', `${registry.host}/b`]);
  assert.equal(code, 5);
  assert.match(stderr, /nothing below .*\/b has a tag/);
  assert.equal((await sandbox.run(['inventory', 'https://x.example'])).code, 2);
});

test('credentials are shown', async (t) => {
  const sandbox = await createSandbox(t);
  const registry = await startEmbeddedRegistry({ auth: true });
  t.after(async () => registry.close());
  const { username, password } = TEST_CREDENTIALS;
  const authorization = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  await pushImage(registry.host, 'a/x:1', { authorization });
  const flags = ['--username', username, '--password-stdin'];
  assert.equal((await sandbox.run(['inventory', registry.host])).code, 4);
  const text = await sandbox.runOk(['inventory', registry.host, ...flags], { stdin: password });
  assert.equal((JSON.parse(text) as Inventory).repositories.length, 1);
});

test('names that are none and manifests that are none are left out', async (t) => {
  const sandbox = await createSandbox(t);
  const registry = await startEmbeddedRegistry();
  const proxy = await startRegistryProxy(registry.host);
  t.after(async () => Promise.all([proxy.close(), registry.close()]));
  await pushImage(registry.host, 'a/x:1');
  await pushManifest(
    registry.host,
    'a/x',
    'odd',
    Buffer.from('{"schemaVersion":2,"config":1}'),
    'application/x-odd',
  ).catch(() => undefined);
  proxy.refuse = (_, path) =>
    path.startsWith('/v2/_catalog')
      ? { status: 200, body: { repositories: ['a/x', '../../etc', 'A', 7, null, 'a/gone'] } }
      : undefined;
  const { repositories } = JSON.parse(await sandbox.runOk(['inventory', proxy.host])) as Inventory;
  assert.deepEqual(
    repositories.map(({ name }) => name),
    ['a/x'],
  );
  assert.ok(!proxy.requests.some((request) => request.includes('etc')));
});

test('a hostile inventory is refused', async (t) => {
  const { sandbox } = await prepareShopReleases(t);
  for (const text of ['{"kind":"RegistryInventory"', '{"kind":"RegistryInventory","version":1}', '{}', '']) {
    await writeFile(join(sandbox.work, 'bad.json'), text);
    const result = await sandbox.run(['wrap', 'shop-2', '--base', 'bad.json', '--output-file', 'x.tgz']);
    assert.equal(result.code, 3, result.stderr);
  }
});

async function omittedBytes(sandbox: Awaited<ReturnType<typeof createSandbox>>, file: string): Promise<number> {
  const { omitted } = JSON.parse(await sandbox.runOk(['verify', file, '--json'])) as {
    readonly omitted: { readonly bytes: number };
  };
  return omitted.bytes;
}
