import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  MEDIA_TYPE_HELM_CHART,
  MEDIA_TYPE_HELM_CONFIG,
  MEDIA_TYPE_OCI_MANIFEST,
} from '../../src/domain/oci/media-types.ts';
import { wrapCharts } from '../../src/workflows/wrap-charts.ts';
import { packArchive } from '../support/archives.ts';
import { chartFiles, createTestContext, withFolder } from '../support/hostile-wraps.ts';
import { randomBytesOf } from '../support/images.ts';
import {
  addBlob,
  addIndex,
  addManifest,
  createContent,
  serveContent,
  startScriptedServer,
  type RepositoryContent,
} from '../support/scripted-server.ts';

test('what a cache gives wrong is asked for once more past it: manifests, indexes, small and large blobs', async (t) => {
  const content = createContent([Buffer.from('small layer'), randomBytesOf('cache', 100_000)]);
  const index = addIndex(content, [{ ...content.manifest, platform: { os: 'linux', architecture: 'amd64' } }]);
  // A cache that has the wrong bytes under every digest.
  const server = await startScriptedServer((request, response) => {
    const isCached = request.method === 'GET' && request.headers['cache-control'] !== 'no-cache';
    serveContent(isCached ? damage(content) : content, request, response);
  });
  t.after(async () => server.close());
  const files = chartFiles([`${server.host}/library/app@${index.digest}`]);
  const archive = await packArchive(
    Object.fromEntries(Object.entries(files).map(([path, bytes]) => [`demo/${path}`, bytes] as const)),
  );
  const config = addBlob(content, Buffer.from('{}'), MEDIA_TYPE_HELM_CONFIG);
  const layers = [addBlob(content, archive, MEDIA_TYPE_HELM_CHART)];
  const chart = addManifest(content, { schemaVersion: 2, config, layers }, MEDIA_TYPE_OCI_MANIFEST);

  await withFolder(async (folder) => {
    const options = { platforms: [], allowEmpty: false, skipImages: false, isCompatible: false };
    const location = `oci://${server.host}/charts/demo@${chart.digest}`;
    const outputFile = join(folder, 'demo.wrap.tgz');
    await wrapCharts({ sources: [{ location }], outputFile, ...options }, await createTestContext());
  });
  const reads = server.requests.filter(
    ({ method, url }) => method === 'GET' && /\/(?:manifests|blobs)\/sha256:/.test(url),
  );
  const seen = Map.groupBy(reads, ({ url }) => url.slice(url.indexOf('sha256:')));
  const wanted = [content.manifest.digest, index.digest, chart.digest, ...content.blobs.keys()];
  assert.deepEqual([...seen.keys()].sort(), wanted.sort());
  for (const [digest, requests] of seen) {
    assert.deepEqual(
      requests.map(({ headers }) => headers['cache-control']),
      [undefined, 'no-cache'],
      digest,
    );
  }
});

/** The same content with one bit of each thing changed. */
function damage({ manifests, blobs }: RepositoryContent): RepositoryContent {
  return {
    manifests: new Map([...manifests].map(([name, manifest]) => [name, { ...manifest, bytes: flip(manifest.bytes) }])),
    blobs: new Map([...blobs].map(([digest, bytes]) => [digest, flip(bytes)])),
  };
}

function flip(bytes: Buffer): Buffer {
  const wrong = Buffer.from(bytes);
  wrong.writeUInt8(wrong.readUInt8(0) ^ 1, 0);
  return wrong;
}
