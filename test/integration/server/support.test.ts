import assert from 'node:assert/strict';
import { gunzipSync } from 'node:zlib';
import { test } from 'node:test';
import { digestOf, parseDigest } from '../../../src/domain/oci/digest.ts';
import {
  MEDIA_TYPE_DOCKER_INDEX,
  MEDIA_TYPE_HELM_CHART,
  MEDIA_TYPE_HELM_CONFIG,
} from '../../../src/domain/oci/media-types.ts';
import { basicAuthorization, pushChart, pushImage } from '../../support/images.ts';
import { loadGoldenRegistry, startEmbeddedRegistry, TEST_CREDENTIALS } from '../../support/registries.ts';

for (const backend of ['memory', 'folder'] as const) {
  test(`the golden registry loads into the ${backend} backend`, async (t) => {
    const registry = await startEmbeddedRegistry({ backend });
    t.after(() => registry.close());
    const references = await loadGoldenRegistry(registry.host);
    assert.ok(references > 40);
    const response = await fetch(`http://${registry.host}/v2/library/redis/manifests/6.0.5`);
    assert.equal(response.headers.get('content-type'), MEDIA_TYPE_DOCKER_INDEX);
    const bytes = Buffer.from(await response.arrayBuffer());
    assert.equal(response.headers.get('docker-content-digest'), digestOf(bytes));
    assert.equal(registry.requests.filter((line) => line.endsWith(' 500')).length, 0);
  });
}

test('an image is the same for the same seed and has real layers', async (t) => {
  const registry = await startEmbeddedRegistry({ auth: true });
  t.after(() => registry.close());
  await assert.rejects(pushImage(registry.host, 'a:1'));
  const authorization = basicAuthorization(TEST_CREDENTIALS);
  const options = { authorization, seed: 3, layers: 3, sharedLayers: 1, docker: true };
  const [first, second] = [
    await pushImage(registry.host, 'a:1', options),
    await pushImage(registry.host, 'b:1', options),
  ];
  assert.deepEqual(first, second);
  assert.notEqual((await pushImage(registry.host, 'a:2', { ...options, seed: 4 })).digest, first.digest);
  assert.equal(first.blobs.length, 2 + 1 + 2 * 2);

  const read = async (path: string): Promise<Buffer> => {
    const response = await fetch(`http://${registry.host}/v2/a/${path}`, { headers: { authorization } });
    return Buffer.from(await response.arrayBuffer());
  };
  const [platform] = first.manifests;
  assert.ok(platform);
  const config = JSON.parse((await read(`blobs/${platform.config}`)).toString()) as { rootfs: { diff_ids: string[] } };
  const diffIds = await Promise.all(
    platform.layers.map(async (layer) => digestOf(gunzipSync(await read(`blobs/${layer}`)))),
  );
  assert.deepEqual(config.rootfs.diff_ids.map(parseDigest), diffIds);
});

test('a chart has the manifest that Helm gives it', async (t) => {
  const registry = await startEmbeddedRegistry();
  t.after(() => registry.close());
  const metadata = { name: 'app', version: '1.0.0+b1', apiVersion: 'v2' };
  const chart = await pushChart(registry.host, 'charts', metadata, Buffer.from('tgz'));
  assert.equal(chart.reference, `${registry.host}/charts/app:1.0.0_b1`);
  const response = await fetch(`http://${registry.host}/v2/charts/app/manifests/1.0.0_b1`);
  const manifest = (await response.json()) as { config: { mediaType: string }; layers: { mediaType: string }[] };
  assert.equal(manifest.config.mediaType, MEDIA_TYPE_HELM_CONFIG);
  assert.deepEqual(
    manifest.layers.map(({ mediaType }) => mediaType),
    [MEDIA_TYPE_HELM_CHART],
  );
});
