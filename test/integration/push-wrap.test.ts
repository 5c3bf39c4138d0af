import assert from 'node:assert/strict';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { digestHex, digestOf } from '../../src/domain/oci/digest.ts';
import type { ImageManifest } from '../../src/domain/oci/manifest.ts';
import { SHOP_IMAGES } from '../support/charts.ts';
import { startFaultProxy } from '../support/fault-proxy.ts';
import { DISTRIBUTION_2, DISTRIBUTION_3, EMBEDDED } from '../support/fidelity-site.ts';
import { pushBlob, pushManifest } from '../support/images.ts';
import { listTags } from '../support/registry-content.ts';
import { requireTool } from '../support/tools.ts';
import { prepareWrappedShop } from '../support/wrapped-shop.ts';

interface PushDocument {
  readonly reference: string;
  readonly digest: string;
  readonly wrapDigest: string;
  readonly isSigned: boolean;
  readonly isPresent: boolean;
}

for (const kind of [EMBEDDED, DISTRIBUTION_2, DISTRIBUTION_3]) {
  test(`a wrap in ${kind.name} is an artifact that can be looked at and unwrapped`, async (t) => {
    if (kind.tool !== undefined && requireTool(t, kind.tool) === undefined) return;
    const { sandbox, target, pushed } = await prepareWrappedShop(t);
    const store = await kind.start();
    t.after(async () => store.close());
    const place = `oci://${store.host}/wraps`;
    const first = JSON.parse(await sandbox.runOk(['push-wrap', 'w.tgz', place, '--json'])) as PushDocument;
    assert.equal(first.reference, `${store.host}/wraps/shop:1.2.3`);
    assert.deepEqual([first.isSigned, first.isPresent], [false, false]);
    const wrap = await readFile(join(sandbox.work, 'w.tgz'));
    assert.equal(first.wrapDigest, digestOf(wrap));

    const response = await fetch(`http://${store.host}/v2/wraps/shop/manifests/1.2.3`, {
      headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
    });
    const bytes = Buffer.from(await response.arrayBuffer());
    assert.equal(digestOf(bytes), first.digest);
    const manifest = JSON.parse(bytes.toString()) as ImageManifest & { annotations: Record<string, string> };
    assert.equal(manifest.artifactType, 'application/vnd.helm.dt.wrap.v1');
    assert.equal(manifest.config.digest, digestOf('{}'));
    assert.deepEqual(
      manifest.layers.map(({ mediaType, annotations }) => [mediaType, annotations?.['org.opencontainers.image.title']]),
      [['application/vnd.helm.dt.wrap.v1.tar+gzip', 'shop-1.2.3.wrap.tgz']],
    );
    assert.equal(manifest.annotations['org.opencontainers.image.version'], '1.2.3');

    await copyFile(join(sandbox.work, 'w.tgz'), join(sandbox.work, 'renamed.tgz'));
    const again = JSON.parse(await sandbox.runOk(['push-wrap', 'renamed.tgz', place, '--json'])) as PushDocument;
    assert.deepEqual([again.digest, again.isPresent], [first.digest, true]);

    assert.match(await sandbox.runOk(['info', `${place}/shop`, '--version', '1.2.3']), /Chart: shop\n/);
    await sandbox.runOk(['unwrap', `${place}/shop`, `${target.host}/m`, '--version', '^1.0.0', '--yes']);
    for (const { repository, tag } of SHOP_IMAGES) {
      const digest = pushed.get(`${repository}:${tag}`)?.digest;
      assert.equal((await listTags(target.host)).get(`m/${repository}:${tag}`), digest);
    }
    assert.ok((await listTags(target.host)).has('m/shop:1.2.3'));
  });
}

test('the signature beside a wrap goes along, and makes another manifest of it', async (t) => {
  const { sandbox, target } = await prepareWrappedShop(t);
  const push = async (): Promise<PushDocument> =>
    JSON.parse(await sandbox.runOk(['push-wrap', 'w.tgz', target.host, '--json'])) as PushDocument;
  const unsigned = await push();
  await writeFile(join(sandbox.work, 'w.tgz.sigstore.json'), '{"mediaType":"x"}');
  const signed = await push();
  assert.deepEqual([unsigned.isSigned, signed.isSigned], [false, true]);
  assert.notEqual(signed.digest, unsigned.digest);
  assert.equal(signed.reference, `${target.host}/shop:1.2.3`);
  const sent = target.requests.filter(
    (line) => line.startsWith('PUT') && line.includes(digestHex(digestOf('{"mediaType":"x"}'))),
  );
  assert.equal(sent.length, 1);
  const large = target.requests.filter((line) => line.startsWith('PUT') && line.includes(signed.wrapDigest.slice(7)));
  assert.equal(large.length, 1);
});

test('a tag is taken as given, and another wrap under it is replaced only where that is allowed', async (t) => {
  const { sandbox, target } = await prepareWrappedShop(t);
  const place = `oci://${target.host}/wraps:stable`;
  await sandbox.runOk(['push-wrap', 'w.tgz', place]);
  await sandbox.runOk(['wrap', 'shop', '--skip-pull-images', '-o', 'light.tgz']);
  const refused = await sandbox.run(['push-wrap', 'light.tgz', place, '--no-overwrite']);
  assert.equal(refused.code, 5);
  assert.match(refused.stderr, /Code: DT_TAG_EXISTS\n/);
  const { code, stderr } = await sandbox.run(['push-wrap', 'light.tgz', place]);
  assert.equal(code, 0, stderr);
  assert.match(stderr, /overwriting .*wraps\/shop:stable/);
  assert.deepEqual([...(await listTags(target.host)).keys()], ['wraps/shop:stable']);
});

test('several charts need a tag, as they have no version in common', async (t) => {
  const { sandbox, target } = await prepareWrappedShop(t);
  await sandbox.runOk(['wrap', 'shop', '--skip-pull-images', '-o', 'one.tgz']);
  const chart = await readFile(join(sandbox.work, 'shop/Chart.yaml'), 'utf8');
  await sandbox.runOk(['-c', 'cp -r shop other'], { command: 'bash' });
  await writeFile(join(sandbox.work, 'other/Chart.yaml'), chart.replace('name: shop', 'name: other'));
  await sandbox.runOk(['wrap', 'shop', 'other', '-o', 'both.tgz']);
  const { code } = await sandbox.run(['push-wrap', 'both.tgz', `${target.host}/wraps`]);
  assert.equal(code, 2);
  await sandbox.runOk(['push-wrap', 'both.tgz', `${target.host}/wraps:2026`]);
  await sandbox.runOk(['unwrap', `oci://${target.host}/wraps/shop:2026`, `${target.host}/m`, '--yes']);
  assert.ok((await listTags(target.host)).has('m/other:1.2.3'));
});

test('what is no wrap in a registry is named, and how to go on with a chart', async (t) => {
  const { sandbox, target } = await prepareWrappedShop(t);
  await sandbox.runOk(['unwrap', 'w.tgz', `${target.host}/m`, '--yes']);
  const chart = await sandbox.run([
    'unwrap',
    `oci://${target.host}/m/shop`,
    `${target.host}/n`,
    '--version',
    '1.2.3',
    '--yes',
  ]);
  assert.equal(chart.code, 3);
  assert.match(chart.stderr, /is a Helm chart, not a wrap\n/);
  assert.match(chart.stderr, /dt wrap oci:/);
  const image = await sandbox.run(['info', `oci://${target.host}/m/team/api:1.0`]);
  assert.equal(image.code, 3);
  assert.match(image.stderr, /Code: DT_WRAP_INVALID\n/);
  const missing = await sandbox.run(['info', `oci://${target.host}/m/shop`, '--version', '9']);
  assert.equal(missing.code, 5);
});

test('an artifact whose layer is another wrap than its digest says pushes no manifest', async (t) => {
  const { sandbox, target } = await prepareWrappedShop(t);
  await sandbox.runOk(['push-wrap', 'w.tgz', `${target.host}/wraps`]);
  const proxy = await startFaultProxy(target.host);
  t.after(async () => proxy.close());
  const path = /\/wraps\/shop\/blobs\//;
  proxy.play({ rules: [{ faults: [{ kind: 'flip', side: 'answer' }], method: 'GET', path }] });
  const before = await listTags(target.host);
  const args = ['unwrap', `oci://${proxy.host}/wraps/shop:1.2.3`, `${target.host}/m`, '--yes'];
  const { code, stderr } = await sandbox.run(args);
  assert.equal(code, 3, stderr);
  assert.deepEqual(await listTags(target.host), before);
  // What breaks off is gone on with.
  proxy.play({ rules: [{ faults: [{ kind: 'cut' }], method: 'GET', path, nth: [1, 2] }] });
  await sandbox.runOk(args);
});

test('a wrap that cannot be read from its registry blames the source', async (t) => {
  const { sandbox, target } = await prepareWrappedShop(t);
  await sandbox.runOk(['push-wrap', 'w.tgz', `${target.host}/wraps`]);
  const proxy = await startFaultProxy(target.host);
  t.after(async () => proxy.close());
  proxy.play({ rules: [{ faults: [{ kind: 'cut' }], method: 'GET', path: /\/blobs\// }] });
  const args = [
    'unwrap',
    `oci://${proxy.host}/wraps/shop:1.2.3`,
    `${target.host}/m`,
    '--yes',
    '--retries',
    '0',
    '--json',
  ];
  const { code, stdout } = await sandbox.run(args);
  assert.equal(code, 5);
  const { error } = JSON.parse(stdout) as { error: { side: string } };
  assert.equal(error.side, 'source');
});

test('an artifact of a client that gives the type to the config can be unwrapped', async (t) => {
  const { sandbox, target } = await prepareWrappedShop(t);
  const wrap = await readFile(join(sandbox.work, 'w.tgz'));
  const type = 'application/vnd.helm.dt.wrap.v1';
  await pushBlob(target.host, 'old/shop', wrap, `${type}.tar+gzip`);
  await pushBlob(target.host, 'old/shop', Buffer.from('{}'), type);
  const describe = (mediaType: string, bytes: Buffer): object => ({
    mediaType,
    digest: digestOf(bytes),
    size: bytes.length,
  });
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType,
      config: describe(type, Buffer.from('{}')),
      layers: [describe(`${type}.tar+gzip`, wrap)],
    }),
  );
  await pushManifest(target.host, 'old/shop', '1.2.3', manifest, mediaType);
  await sandbox.runOk(['unwrap', `oci://${target.host}/old/shop:1.2.3`, `${target.host}/m`, '--yes']);
  assert.ok((await listTags(target.host)).has('m/shop:1.2.3'));
});

test('a tag that is not there is no wrong usage, although it is no version', async (t) => {
  const { sandbox, target } = await prepareWrappedShop(t);
  await sandbox.runOk(['push-wrap', 'w.tgz', `${target.host}/wraps:2026-11`]);
  await sandbox.runOk(['info', `oci://${target.host}/wraps/shop:2026-11`]);
  for (const tag of ['2026-12', 'latest']) {
    const { code, stderr } = await sandbox.run(['info', `oci://${target.host}/wraps/shop:${tag}`]);
    assert.equal(code, 5, stderr);
    assert.match(stderr, /It has 2026-11\.[^]*DT_CHART_VERSION_NOT_FOUND/);
  }
  const { code } = await sandbox.run(['info', `oci://${target.host}/wraps/shop`, '--version', 'no range']);
  assert.equal(code, 2);
});

test('the next command is the one for what the wrap holds', async (t) => {
  const { sandbox, target, source } = await prepareWrappedShop(t);
  await sandbox.runOk(['images', 'wrap', `${source.host}/team/api:1.0`, '--output-file', 'i.tgz']);
  assert.match(await sandbox.runOk(['push-wrap', 'i.tgz', `${target.host}/wraps`]), /^ +dt images unwrap oci:/m);
  assert.match(await sandbox.runOk(['push-wrap', 'w.tgz', `${target.host}/wraps`]), /^ +dt unwrap oci:/m);
});
