import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SHOP_IMAGES } from '../support/charts.ts';
import { basicAuthorization, pushImage } from '../support/images.ts';
import { startEmbeddedRegistry, TEST_CREDENTIALS } from '../support/registries.ts';
import { readStoredManifest } from '../support/registry-content.ts';
import { startRegistryProxy } from '../support/registry-proxy.ts';
import { prepareWrappedShop } from '../support/wrapped-shop.ts';

interface PlanDocument {
  readonly repositories: readonly string[];
  readonly tags: readonly {
    readonly reference: string;
    readonly kind: string;
    readonly digest: string;
    readonly state: string;
    readonly previousDigest?: string;
  }[];
  readonly sendBytes: number;
  readonly presentBytes: number;
}

const IS_WRITE = /^(?:POST|PUT|PATCH|DELETE) /;

test('a tag with another digest is named before it is overwritten, in the question and as a warning', async (t) => {
  const { sandbox, target } = await prepareWrappedShop(t);
  const older = await pushImage(target.host, 'm/team/api:1.0', { seed: 'older' });
  const asked = await sandbox.run(['unwrap', 'w.tgz', `${target.host}/m`], { stdin: 'n\n' });
  assert.equal(asked.code, 0);
  assert.match(asked.stderr, new RegExp(`overwritten:\\n.*${target.host}/m/team/api:1\\.0 \\(was ${older.digest}\\)`));
  assert.equal((await readStoredManifest(target.host, 'm/team/api', '1.0'))?.digest, older.digest);
  const stdout = await sandbox.runOk(['unwrap', 'w.tgz', `${target.host}/m`, '--yes', '--json']);
  const { warnings } = JSON.parse(stdout) as { warnings: string[] };
  assert.equal(warnings.filter((warning) => warning.includes(older.digest)).length, 1);
  assert.notEqual((await readStoredManifest(target.host, 'm/team/api', '1.0'))?.digest, older.digest);
});

test('--no-overwrite names every such tag, the chart among them, and pushes nothing', async (t) => {
  const { sandbox, target } = await prepareWrappedShop(t);
  await pushImage(target.host, 'm/team/api:1.0', { seed: 'older' });
  await pushImage(target.host, 'm/shop:1.2.3', { seed: 'a chart of that name' });
  const before = target.requests.length;
  const result = await sandbox.run(['unwrap', 'w.tgz', `${target.host}/m`, '--yes', '--no-overwrite', '--json']);
  assert.equal(result.code, 5, result.stderr);
  const { error } = JSON.parse(result.stdout) as {
    error: { code: string; failures: { image: string; code: string }[] };
  };
  assert.equal(error.code, 'DT_TAG_EXISTS');
  assert.deepEqual(
    error.failures.map(({ image }) => image.slice(image.indexOf('/') + 1)),
    ['team/api:1.0', 'm/shop:1.2.3'],
  );
  assert.deepEqual(
    target.requests.slice(before).filter((request) => IS_WRITE.test(request)),
    [],
  );
});

test('with --no-overwrite a second run finds everything done, and writes nothing', async (t) => {
  const { sandbox, target } = await prepareWrappedShop(t);
  const args = ['unwrap', 'w.tgz', `${target.host}/m`, '--yes', '--no-overwrite'];
  await sandbox.runOk(args);
  const before = target.requests.length;
  await sandbox.runOk(args);
  assert.deepEqual(
    target.requests.slice(before).filter((request) => IS_WRITE.test(request)),
    [],
  );
});

test('a registry with immutable tags takes what it has, and its refusal is worded', async (t) => {
  const { sandbox, target } = await prepareWrappedShop(t);
  await sandbox.runOk(['unwrap', 'w.tgz', `${target.host}/m`, '--yes']);
  const proxy = await startRegistryProxy(target.host);
  t.after(async () => proxy.close());
  proxy.refuse = (method, path) =>
    method === 'PUT' && /\/manifests\/[^:]+$/.test(path)
      ? { status: 400, body: { errors: [{ code: 'TAG_INVALID', message: 'the tag is immutable' }] } }
      : undefined;
  // Through the other name of the registry the chart is another one: only the images are the same.
  const same = await sandbox.run([
    'unwrap',
    'w.tgz',
    `${proxy.host}/m`,
    '--yes',
    '--push-chart-url',
    `${target.host}/charts`,
  ]);
  assert.equal(same.code, 0, same.stderr);
  await pushImage(target.host, 'm/team/api:1.0', { seed: 'newer' });
  const other = await sandbox.run(['unwrap', 'w.tgz', `${proxy.host}/m`, '--yes', '--json']);
  assert.equal(other.code, 5, other.stderr);
  assert.equal((JSON.parse(other.stdout) as { error: { code: string } }).error.code, 'DT_TAG_EXISTS');
});

test('--plan lists repositories, tags and bytes, pushes nothing, and is what then happens', async (t) => {
  const { sandbox, target, pushed } = await prepareWrappedShop(t);
  const older = await pushImage(target.host, 'm/team/api:1.0', { seed: 'older' });
  const worker = pushed.get('team/worker:2.1-debian');
  assert.ok(worker !== undefined);
  const plan = async (): Promise<PlanDocument> =>
    JSON.parse(await sandbox.runOk(['unwrap', 'w.tgz', `${target.host}/m`, '--plan', '--json'])) as PlanDocument;
  const before = target.requests.length;
  const first = await plan();
  const text = await sandbox.runOk(['unwrap', 'w.tgz', `${target.host}/m`, '--plan']);
  assert.deepEqual(
    target.requests.slice(before).filter((request) => IS_WRITE.test(request)),
    [],
  );
  assert.deepEqual(
    first.repositories,
    ['library/cache', 'shop', 'team/api', 'team/worker'].map((name) => `${target.host}/m/${name}`),
  );
  assert.deepEqual(
    first.tags.map(({ kind, state, previousDigest }) => [kind, state, previousDigest]),
    [
      ['image', 'overwritten', older.digest],
      ['image', 'new', undefined],
      ['image', 'new', undefined],
      ['chart', 'new', undefined],
    ],
  );
  for (const { reference, digest } of first.tags) assert.ok(text.includes(reference) && text.includes(digest));
  assert.equal(first.presentBytes, 0);

  const stdout = await sandbox.runOk(['unwrap', 'w.tgz', `${target.host}/m`, '--yes', '--json']);
  const { summary, charts } = JSON.parse(stdout) as {
    summary: { sentBytes: number };
    charts: { digest: string }[];
  };
  assert.equal(first.tags.at(-1)?.digest, charts[0]?.digest);
  const second = await plan();
  assert.ok(second.tags.every(({ state }) => state === 'same'));
  assert.deepEqual([second.sendBytes, second.presentBytes], [0, first.sendBytes]);
  const chartBytes = first.sendBytes - summary.sentBytes;
  assert.ok(chartBytes > 0 && chartBytes < 10_000, String(chartBytes));
});

test('a plan for a registry that is not there ends with 5', async (t) => {
  const { sandbox } = await prepareWrappedShop(t);
  assert.equal((await sandbox.run(['unwrap', 'w.tgz', '127.0.0.1:9/m', '--plan'])).code, 5);
});

test('a registry that anybody may read shows a missing password before anything is read or sent', async (t) => {
  const { sandbox } = await prepareWrappedShop(t);
  const closed = await startEmbeddedRegistry({ auth: true });
  const proxy = await startRegistryProxy(closed.host, { readAuthorization: basicAuthorization(TEST_CREDENTIALS) });
  t.after(async () => Promise.all([proxy.close(), closed.close()]));
  const result = await sandbox.run(['unwrap', 'w.tgz', `${proxy.host}/m`, '--yes']);
  assert.equal(result.code, 4, result.stderr);
  const writes = proxy.requests.filter((request) => IS_WRITE.test(request));
  assert.ok(writes.length > 0 && writes.length <= SHOP_IMAGES.length, writes.join('\n'));
  const skipped = await sandbox.run(['unwrap', 'w.tgz', `${proxy.host}/m`, '--yes', '--skip-preflight']);
  assert.equal(skipped.code, 4, skipped.stderr);
  assert.ok(proxy.requests.filter((request) => IS_WRITE.test(request)).length > 2 * writes.length);
});
