import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import type { Descriptor } from '../../src/domain/oci/descriptor.ts';
import { digestOf } from '../../src/domain/oci/digest.ts';
import { MEDIA_TYPE_DOCKER_MANIFEST } from '../../src/domain/oci/media-types.ts';
import {
  EMBEDDED,
  openFidelitySite,
  TARGET_KINDS,
  writeImageChart,
  type FidelitySite,
} from '../support/fidelity-site.ts';
import { assertIdentical } from '../support/foreign-clients.ts';
import { randomBytesOf } from '../support/images.ts';
import { pushRawConfig, pushRawImage, pushRawIndex, pushRawLayer } from '../support/raw-images.ts';

const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json';
const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
const DOCKER_FOREIGN = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip';
const OCI_FOREIGN = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip';
const SMALL = randomBytesOf('small foreign layer', 900);
const LARGE = randomBytesOf('large foreign layer', 300_000);

/** Where the vendor of a layer has it, as far as the test lets it. */
interface Vendor {
  readonly files: Map<string, Buffer>;
  readonly asked: string[];
  url(path: string): string;
}

for (const kind of TARGET_KINDS) {
  test(`layers that may not be distributed stay where they are, unless they are asked for, in ${kind.name}`, async (t) => {
    const site = await openFidelitySite(t, kind);
    if (site === undefined) return;
    const { sandbox, source, target, clients } = site;
    const vendor = await startVendor(t);
    const foreign = await pushForeignImage(site, vendor);
    const [from, to] = [`${source.host}/win/app`, `${target.host}/m/win/app`];

    const wrapped = await sandbox.run(['wrap', 'kinds', '--output-file', 'w.tgz']);
    assert.equal(wrapped.code, 0, wrapped.stderr);
    assert.match(
      wrapped.stderr,
      /layers that may not be distributed are left out of .*--include-non-distributable-layers/,
    );
    const unwrapped = await sandbox.run(['unwrap', 'w.tgz', `${target.host}/m`, '--yes']);
    assert.equal(unwrapped.code, 0, unwrapped.stderr);
    assert.match(unwrapped.stderr, /1 image, 1 digest identical/);
    await assertIdentical(clients, from, to, '1', { withoutBlobs: true });
    for (const { digest } of foreign) await assert.rejects(clients.regctl(target.host, ['blob', 'head', to, digest]));
    assert.deepEqual(vendor.asked, []);

    const again = await sandbox.run([
      'wrap',
      'kinds',
      '--output-file',
      'all.tgz',
      '--include-non-distributable-layers',
    ]);
    assert.equal(again.code, 0, again.stderr);
    assert.doesNotMatch(again.stderr, /left out/);
    assert.deepEqual(vendor.asked.toSorted(), ['/large', '/small']);
    await sandbox.runOk(['unwrap', 'all.tgz', `${target.host}/all`, '--yes']);
    const all = `${target.host}/all/win/app`;
    await assertIdentical(clients, from, all, '1');
    for (const [index, bytes] of [SMALL, LARGE].entries()) {
      const digest = foreign[index]?.digest ?? '';
      await clients.regctl(target.host, ['blob', 'head', all, digest]);
      const answer = await fetch(`http://${target.host}/v2/all/win/app/blobs/${digest}`);
      assert.ok(Buffer.from(await answer.arrayBuffer()).equals(bytes));
    }
  });
}

test('a target that has the image without its layers gets them from a wrap that has them', async (t) => {
  const site = await openFidelitySite(t, EMBEDDED);
  if (site === undefined) return;
  const { sandbox, target, clients } = site;
  const [layer] = await pushForeignImage(site, await startVendor(t));
  await sandbox.runOk(['wrap', 'kinds', '--output-file', 'w.tgz']);
  await sandbox.runOk(['unwrap', 'w.tgz', `${target.host}/m`, '--yes']);
  await sandbox.runOk(['wrap', 'kinds', '--output-file', 'all.tgz', '--include-non-distributable-layers']);
  await sandbox.runOk(['unwrap', 'all.tgz', `${target.host}/m`, '--yes']);
  await clients.regctl(target.host, ['blob', 'head', `${target.host}/m/win/app`, layer?.digest ?? '']);
});

test('a layer that its URL does not give, or gives changed, ends the wrap', async (t) => {
  const site = await openFidelitySite(t, EMBEDDED);
  if (site === undefined) return;
  const vendor = await startVendor(t);
  await pushForeignImage(site, vendor);
  const wrap = ['wrap', 'kinds', '--output-file', 'w.tgz', '--include-non-distributable-layers'];
  vendor.files.delete('/small');
  const missing = await site.sandbox.run(wrap);
  assert.equal(missing.code, 5, missing.stderr);
  assert.match(missing.stderr, /none of its URLs gives it/);
  assert.match(missing.stderr, /answers 404/);

  vendor.files.set('/small', SMALL);
  vendor.files.set('/large', randomBytesOf('other bytes', LARGE.length));
  const changed = await site.sandbox.run(wrap);
  assert.equal(changed.code, 3, changed.stderr);
  assert.match(changed.stderr, new RegExp(digestOf(LARGE)));

  vendor.files.set('/large', LARGE);
  assert.equal((await site.sandbox.run(wrap)).code, 0);
});

/** `win/app:1`, whose last layers only their URLs have; the chart `kinds` names it. Docker's types, as images of Windows have them. */
async function pushForeignImage({ sandbox, source }: FidelitySite, vendor: Vendor): Promise<Descriptor[]> {
  const place = { host: source.host, repository: 'win/app' };
  vendor.files.set('/small', SMALL);
  vendor.files.set('/large', LARGE);
  const describe = (mediaType: string, bytes: Buffer, path: string): Descriptor => {
    return { mediaType, digest: digestOf(bytes), size: bytes.length, urls: [vendor.url(path)] };
  };
  const usual = await pushRawLayer(place, 'gzip', 'usual');
  const docker = [describe(DOCKER_FOREIGN, SMALL, '/small'), describe(DOCKER_FOREIGN, LARGE, '/large')];
  const config = { ...(await pushRawConfig(place, 'windows/amd64')), mediaType: DOCKER_CONFIG };
  const layers = [{ ...usual, mediaType: DOCKER_LAYER }, ...docker];
  const children = [
    await pushRawImage(place, { layers, config, mediaType: MEDIA_TYPE_DOCKER_MANIFEST }),
    await pushRawImage(place, { layers: [usual, describe(OCI_FOREIGN, SMALL, '/small')], platform: 'windows/arm64' }),
  ];
  const platforms = ['amd64', 'arm64'].map((architecture) => ({ os: 'windows', architecture }));
  await pushRawIndex(
    place,
    children.map((child, index) => ({ ...child, platform: platforms[index] })),
    { tag: '1' },
  );
  await writeImageChart(sandbox, { images: [`${source.host}/win/app:1`] });
  return docker;
}

async function startVendor(t: TestContext): Promise<Vendor> {
  const [files, asked] = [new Map<string, Buffer>(), [] as string[]];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const bytes = files.get(path);
    response.writeHead(bytes === undefined ? 404 : 200).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  return { files, asked, url: (path) => `http://127.0.0.1:${String(port)}${path}` };
}
