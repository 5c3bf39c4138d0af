import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { pushShopImages, SHOP_IMAGES, writeShopChart } from '../support/charts.ts';
import { basicAuthorization, pushImage } from '../support/images.ts';
import { listTags } from '../support/registry-content.ts';
import { startProxiedRegistry } from '../support/proxied-registry.ts';
import { startEmbeddedRegistry, TEST_CREDENTIALS, type EmbeddedRegistry } from '../support/registries.ts';
import { startRegistryProxy, type RegistryProxy } from '../support/registry-proxy.ts';
import { DT_PATH } from '../support/run-cli.ts';
import { createSandbox, type Sandbox } from '../support/sandbox.ts';

const LAYER_BYTES = 100_000;

describe('a wrap that fails leaves nothing under its final name', () => {
  const checkFailure = async (sandbox: Sandbox, args: readonly string[], code: number, name: string): Promise<void> => {
    const before = await readdir(sandbox.work);
    const result = await sandbox.run(args);
    assert.equal(result.code, code, result.stderr);
    assert.match(result.stderr, new RegExp(`Code: ${name}$`, 'm'));
    assert.equal(result.stdout, '');
    const written = (await readdir(sandbox.work)).filter((file) => !before.includes(file));
    // The finished blobs of a partial file save the next run their download.
    assert.deepEqual(
      written.filter((file) => !file.endsWith('.partial')),
      [],
    );
    assert.deepEqual(await sandbox.listTemporary(), []);
  };

  test('no such chart, no such image, no such registry', async (t) => {
    const { sandbox, registry } = await prepare(t);
    await checkFailure(sandbox, ['wrap', 'nothere'], 1, 'DT_FILE_NOT_FOUND');
    await writeChart(sandbox, 'gone', [`${registry.host}/team/api:1.0`, `${registry.host}/team/api:9`]);
    await checkFailure(sandbox, ['wrap', 'gone'], 5, 'DT_NOT_FOUND');
    await writeChart(sandbox, 'dead', ['127.0.0.1:9/team/api:1.0']);
    await checkFailure(sandbox, ['wrap', 'dead'], 5, 'DT_REGISTRY_UNREACHABLE');
  });

  test('a registry that asks for credentials, and one that refuses them', async (t) => {
    const { sandbox } = await prepare(t);
    const closed = await startEmbeddedRegistry({ auth: true });
    t.after(async () => closed.close());
    await pushImage(closed.host, 'a/b:1', { authorization: basicAuthorization(TEST_CREDENTIALS) });
    await writeChart(sandbox, 'closed', [`${closed.host}/a/b:1`]);
    await checkFailure(sandbox, ['wrap', 'closed'], 4, 'DT_AUTH_REQUIRED');
    const config = join(sandbox.home, 'auth.json');
    const login = async (password: string): Promise<void> => {
      const auth = Buffer.from(`${TEST_CREDENTIALS.username}:${password}`).toString('base64');
      await writeFile(config, JSON.stringify({ auths: { [closed.host]: { auth } } }));
    };
    await login('wrong');
    const refused = await sandbox.run(['wrap', 'closed'], { env: { REGISTRY_AUTH_FILE: config } });
    assert.equal(refused.code, 4);
    assert.ok(!`${refused.stderr}${refused.stdout}`.includes('wrong'));
    await login(TEST_CREDENTIALS.password);
    await sandbox.runOk(['wrap', 'closed'], { env: { REGISTRY_AUTH_FILE: config } });
  });

  test('a layer that is not what its digest says; the next run repairs it', async (t) => {
    const { sandbox, proxy, layers } = await prepare(t);
    proxy.damageBlob = (digest) => digest === layers.at(-1);
    await checkFailure(sandbox, ['wrap', 'shop'], 3, 'DT_DIGEST_MISMATCH');
    proxy.damageBlob = () => false;
    await sandbox.runOk(['wrap', 'shop']);
    assert.deepEqual((await readdir(sandbox.work)).sort(), ['shop', 'shop-1.2.3.wrap.tgz']);
  });

  test('an output that cannot be written', async (t) => {
    const { sandbox } = await prepare(t);
    await writeFile(join(sandbox.work, 'file'), '');
    await checkFailure(sandbox, ['wrap', 'shop', '--output-file', 'file/x.tgz'], 1, 'DT_OUTPUT_FAILED');
    await checkFailure(sandbox, ['wrap', 'shop', '--output-file', '/dev/full'], 1, 'DT_OUTPUT_FAILED');
    await checkFailure(sandbox, ['wrap', 'shop', '--output-file', 'shop'], 1, 'DT_OUTPUT_FAILED');
  });

  test('an output without a name', async (t) => {
    const { sandbox, proxy } = await prepare(t);
    await checkFailure(sandbox, ['wrap', 'shop', '--output-file', ''], 2, 'DT_USAGE');
    assert.deepEqual(proxy.requests, []);
  });

  test('an older file of that name stays as it was', async (t) => {
    const { sandbox, proxy, layers } = await prepare(t);
    await writeFile(join(sandbox.work, 'shop-1.2.3.wrap.tgz'), 'older');
    proxy.damageBlob = (digest) => digest === layers.at(-1);
    await checkFailure(sandbox, ['wrap', 'shop'], 3, 'DT_DIGEST_MISMATCH');
    assert.equal(await readFile(join(sandbox.work, 'shop-1.2.3.wrap.tgz'), 'utf8'), 'older');
  });
});

describe('an unwrap that fails', () => {
  test('pushes nothing from a damaged wrap', async (t) => {
    const { sandbox } = await prepare(t);
    const target = await startTarget(t);
    await sandbox.runOk(['wrap', 'shop', '--output-file', 'w.tgz']);
    const whole = await readFile(join(sandbox.work, 'w.tgz'));
    const damages: [string, Buffer][] = [
      ['cut in the middle', whole.subarray(0, whole.length >> 1)],
      ['without its last byte', whole.subarray(0, whole.length - 1)],
      ['with a byte changed at the start', flip(whole, 300)],
      ['empty', Buffer.alloc(0)],
      ['not a wrap', Buffer.from('hello')],
    ];
    for (const [name, bytes] of damages) {
      await writeFile(join(sandbox.work, 'damaged.tgz'), bytes);
      const result = await sandbox.run(['unwrap', 'damaged.tgz', `${target.host}/m`, '--yes']);
      assert.equal(result.code, 3, `${name}: ${result.stderr}`);
      assert.deepEqual(target.requests.filter(isWrite), [], name);
    }
  });

  test('pushes neither the image with a damaged layer nor the chart, but all others', async (t) => {
    const { sandbox } = await prepare(t);
    const target = await startTarget(t);
    await sandbox.runOk(['wrap', 'shop', '--output-file', 'w.tgz']);
    const whole = await readFile(join(sandbox.work, 'w.tgz'));
    // One layer of one platform: the largest blobs fill the file, and the last one is shared by none.
    await writeFile(join(sandbox.work, 'w.tgz'), flip(whole, whole.length - LAYER_BYTES));
    const result = await sandbox.run(['unwrap', 'w.tgz', `${target.host}/m`, '--yes', '--json']);
    assert.equal(result.code, 3, result.stderr);
    const { error } = JSON.parse(result.stdout) as {
      error: { failures: { image: string; code: string; side: string }[] };
    };
    assert.deepEqual(
      error.failures.map(({ code, side }) => [code, side]),
      [['DT_DIGEST_MISMATCH', 'source']],
    );
    const tags = [...(await listTags(target.host)).keys()];
    assert.equal(tags.length, SHOP_IMAGES.length - 1);
    const failed = error.failures[0]?.image.split('/').slice(1).join('/') ?? '';
    assert.ok(!tags.includes(`m/${failed}`) && !tags.includes('m/shop:1.2.3'), tags.join());
  });

  test('says which class of failure it was', async (t) => {
    const { sandbox } = await prepare(t);
    const closed = await startEmbeddedRegistry({ auth: true });
    t.after(async () => closed.close());
    await sandbox.runOk(['wrap', 'shop', '--output-file', 'w.tgz']);
    const cases: [readonly string[], number][] = [
      [['unwrap', 'w.tgz', '127.0.0.1:9/m', '--yes'], 5],
      [['unwrap', 'w.tgz', `${closed.host}/m`, '--yes'], 4],
      [['unwrap', 'w.tgz', `http://${closed.host}/m`, '--yes'], 2],
      [['unwrap', 'w.tgz', '', '--yes'], 2],
      [['unwrap', 'w.tgz'], 2],
      [['unwrap', 'nothere.tgz', `${closed.host}/m`, '--yes'], 1],
    ];
    for (const [args, code] of cases) {
      const result = await sandbox.run(args);
      assert.equal(result.code, code, `dt ${args.join(' ')}\n${result.stderr}`);
    }
    assert.deepEqual(
      closed.requests.filter((request) => isWrite(request) && !request.endsWith(' 401')),
      [],
    );
    assert.deepEqual(await sandbox.listTemporary(), []);
  });
});

interface Prepared {
  readonly sandbox: Sandbox;
  readonly registry: EmbeddedRegistry;
  /** Where the chart `shop` names its images. */
  readonly proxy: RegistryProxy;
  readonly layers: readonly string[];
}

async function prepare(t: TestContext): Promise<Prepared> {
  const { sandbox, registry, proxy } = await startProxiedRegistry(t, startEmbeddedRegistry, startRegistryProxy);
  const pushed = await pushShopImages(registry.host, LAYER_BYTES);
  await writeShopChart(join(sandbox.work, 'shop'), proxy.host);
  const layers = [...pushed.values()].flatMap(({ manifests }) => manifests.flatMap((manifest) => manifest.layers));
  return { sandbox, registry, proxy, layers };
}

async function startTarget(t: TestContext): Promise<EmbeddedRegistry> {
  const target = await startEmbeddedRegistry();
  t.after(async () => target.close());
  return target;
}

async function writeChart(sandbox: Sandbox, name: string, images: readonly string[]): Promise<void> {
  const list = images.map((image, index) => `    - {name: i${String(index)}, image: "${image}"}\n`).join('');
  await writeShopChart(join(sandbox.work, name), 'unused');
  const text = `apiVersion: v2\nname: ${name}\nversion: 1.0.0\nannotations:\n  images: |\n${list}`;
  await writeFile(join(sandbox.work, name, 'Chart.yaml'), text);
}

function flip(bytes: Buffer, position: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[position] = (copy[position] ?? 0) ^ 1;
  return copy;
}

function isWrite(request: string): boolean {
  return /^(?:POST|PUT|PATCH) /.test(request);
}

test('a result that cannot be written is a failure', async (t) => {
  if (process.platform !== 'linux') {
    t.skip('needs /dev/full');
    return;
  }
  const sandbox = await createSandbox(t);
  const script = '"$0" version > /dev/full';
  const result = await sandbox.run(['-c', script, DT_PATH], { command: 'sh' });
  assert.equal(result.code, 1);
  assert.match(result.stderr, /Code: DT_OUTPUT_FAILED$/m);
});
