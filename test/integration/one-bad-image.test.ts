import assert from 'node:assert/strict';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { pushShopImages, SHOP_IMAGES, writeShopChart } from '../support/charts.ts';
import type { PushedImage } from '../support/images.ts';
import { assembleWrap, makeHonestWrap, takeApart } from '../support/hostile-wraps.ts';
import { startEmbeddedRegistry, type EmbeddedRegistry } from '../support/registries.ts';
import { listTags } from '../support/registry-content.ts';
import { startRegistryProxy, type RegistryProxy } from '../support/registry-proxy.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

interface FailureDocument {
  readonly error: {
    readonly code: string;
    readonly exitCode: number;
    readonly failures: readonly { readonly image: string; readonly code: string; readonly side?: string }[];
  };
}

const BAD_IMAGES = ['team/api:1.0', 'team/worker:2.1-debian'] as const;
const GOOD_IMAGE = 'library/cache:7';
const WRAP = ['wrap', 'shop', '--output-file', 'w.tgz', '--json'] as const;

test('two of three images are damaged: the blobs of the third are kept, and the next run fetches the rest only', async (t) => {
  const { sandbox, proxy, pushed } = await prepare(t);
  const ownLayers = (reference: string): string[] => {
    const shared = [...pushed].filter(([name]) => name !== reference).flatMap(([, image]) => layersOf(image));
    return layersOf(pushed.get(reference)).filter((digest) => !shared.includes(digest));
  };
  const bad = BAD_IMAGES.flatMap(ownLayers);
  const good = ownLayers(GOOD_IMAGE);
  assert.ok(bad.length > 0 && good.length > 0);
  proxy.damageBlob = (digest) => bad.includes(digest);
  const result = await sandbox.run(WRAP);
  assert.equal(result.code, 3, result.stderr);
  const { error } = JSON.parse(result.stdout) as FailureDocument;
  assert.deepEqual(
    error.failures.map(({ image, code, side }) => [image, code, side]),
    BAD_IMAGES.map((image) => [`${proxy.host}/${image}`, 'DT_DIGEST_MISMATCH', 'source']),
  );
  for (const image of BAD_IMAGES) assert.match(result.stderr, new RegExp(`${image} \\(source\\): `));
  assert.deepEqual((await readdir(sandbox.work)).sort(), ['shop', 'w.tgz.partial']);
  // Each wrong layer was asked for twice, and none of a failed image was begun afterwards.
  for (const image of BAD_IMAGES) {
    const tries = ownLayers(image).map((digest) => countFetches(proxy, digest));
    assert.ok(tries.includes(2) && tries.every((count) => count === 2 || count === 0), tries.join());
  }

  proxy.damageBlob = () => false;
  proxy.requests.length = 0;
  await sandbox.runOk(WRAP);
  assert.deepEqual(
    good.map((digest) => countFetches(proxy, digest)),
    good.map(() => 0),
  );
  assert.deepEqual(
    bad.map((digest) => countFetches(proxy, digest)),
    bad.map(() => 1),
  );
});

test('a blob that comes wrong once is fetched again, small or large', async (t) => {
  const { sandbox, proxy, pushed } = await prepare(t);
  const image = pushed.get(GOOD_IMAGE);
  assert.ok(image !== undefined);
  const left = new Set<string>(image.blobs);
  proxy.damageBlob = (digest) => left.delete(digest);
  await sandbox.runOk(WRAP);
  assert.equal(left.size, 0);
});

test('all images that are not there are named, and the exit code is of the worst class', async (t) => {
  const { sandbox, source } = await prepare(t);
  const closed = await startEmbeddedRegistry({ auth: true });
  t.after(async () => closed.close());
  const images = [`${source.host}/team/gone:1`, `${closed.host}/a/b:1`, `${source.host}/library/cache:7`];
  const list = images.map((image, index) => `    - {name: i${String(index)}, image: "${image}"}\n`).join('');
  await writeFile(
    join(sandbox.work, 'shop/Chart.yaml'),
    `apiVersion: v2\nname: shop\nversion: 1.0.0\nannotations:\n  images: |\n${list}`,
  );
  const result = await sandbox.run(WRAP);
  assert.equal(result.code, 4, result.stderr);
  const { error } = JSON.parse(result.stdout) as FailureDocument;
  assert.deepEqual(
    error.failures.map(({ image, code, side }) => [image, code, side]),
    [
      [images[0], 'DT_NOT_FOUND', 'source'],
      [images[1], 'DT_AUTH_REQUIRED', 'source'],
    ],
  );
  assert.deepEqual(await readdir(sandbox.work), ['shop']);
});

test('a repository that refuses an image keeps neither the others away nor lets the chart through', async (t) => {
  const { sandbox } = await prepare(t);
  await sandbox.runOk(WRAP);
  const { target, front } = await startTarget(t);
  front.refuse = (method, path) =>
    path.startsWith('/v2/m/team/api/') && method !== 'HEAD'
      ? { status: 403, body: { errors: [{ code: 'DENIED', message: 'not yours' }] } }
      : undefined;
  const result = await sandbox.run(['unwrap', 'w.tgz', `${front.host}/m`, '--yes', '--json']);
  assert.equal(result.code, 4, result.stderr);
  const { error } = JSON.parse(result.stdout) as FailureDocument;
  assert.deepEqual(
    error.failures.map(({ image, code, side }) => [image.slice(image.indexOf('/') + 1), code, side]),
    [['team/api:1.0', 'DT_AUTH_DENIED', 'destination']],
  );
  assert.deepEqual([...(await listTags(target.host)).keys()].sort(), ['m/library/cache:7', 'm/team/worker:2.1-debian']);
});

test('of a wrap that is one stream, a blob that the target refuses does not end the rest', async (t) => {
  const sandbox = await createSandbox(t);
  const pieces = (await takeApart(await makeHonestWrap())).filter(({ header }) => !header.name.includes('/.dt/'));
  const plain = await assembleWrap(pieces, { isPlain: true });
  await writeFile(join(sandbox.work, 'w.tgz'), plain);
  for (const [refusals, code, tags] of [
    // The first try of a blob, which is then taken from the stream in a second pass.
    [1, 0, ['m/demo:1.2.3', 'm/library/multi:1.0', 'm/library/single:2.0']],
    [Number.POSITIVE_INFINITY, 4, ['m/library/single:2.0']],
  ] as const) {
    const { target, front } = await startTarget(t);
    let left: number = refusals;
    front.refuse = (method, path) =>
      method === 'PUT' && /library\/multi\/blobs\/uploads\//.test(path) && left-- > 0
        ? { status: 403, body: { errors: [{ code: 'DENIED', message: 'not now' }] } }
        : undefined;
    const result = await sandbox.run(['unwrap', 'w.tgz', `${front.host}/m`, '--yes']);
    assert.equal(result.code, code, result.stderr);
    assert.deepEqual([...(await listTags(target.host)).keys()].sort(), tags);
  }
});

test('when no image can be pushed, no step of the push looks like a success', async (t) => {
  const { sandbox } = await prepare(t);
  await sandbox.runOk(WRAP);
  const { front } = await startTarget(t);
  front.refuse = (method, path) =>
    method === 'PUT' && path.includes('/manifests/')
      ? { status: 403, body: { errors: [{ code: 'DENIED' }] } }
      : undefined;
  const { code, stderr } = await sandbox.run(['unwrap', 'w.tgz', `${front.host}/m`, '--yes', '--plain']);
  assert.equal(code, 4, stderr);
  const pushing = stderr.slice(stderr.indexOf('Pushing'));
  assert.ok(!pushing.includes('✔') && pushing.includes('✘') && !/verif/i.test(pushing), stderr);
});

interface Prepared {
  readonly sandbox: Sandbox;
  readonly source: EmbeddedRegistry;
  readonly proxy: RegistryProxy;
  readonly pushed: Map<string, PushedImage>;
}

/** A registry and a proxy in front of it that can be told to misbehave. */
async function startTarget(t: TestContext): Promise<{ target: EmbeddedRegistry; front: RegistryProxy }> {
  const target = await startEmbeddedRegistry();
  const front = await startRegistryProxy(target.host);
  t.after(async () => Promise.all([front.close(), target.close()]));
  return { target, front };
}

async function prepare(t: TestContext): Promise<Prepared> {
  const sandbox = await createSandbox(t);
  const source = await startEmbeddedRegistry();
  const proxy = await startRegistryProxy(source.host);
  t.after(async () => Promise.all([proxy.close(), source.close()]));
  const pushed = await pushShopImages(source.host);
  await writeShopChart(join(sandbox.work, 'shop'), proxy.host);
  assert.equal(pushed.size, SHOP_IMAGES.length);
  return { sandbox, source, proxy, pushed };
}

function layersOf(image: PushedImage | undefined): string[] {
  return image?.manifests.flatMap(({ layers }) => [...layers]) ?? [];
}

function countFetches(proxy: RegistryProxy, digest: string): number {
  return proxy.requests.filter((request) => request.startsWith('GET ') && request.endsWith(`/blobs/${digest}`)).length;
}
