import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test } from 'node:test';
import { assertWrapFails } from '../support/assert-wrap-fails.ts';
import { addIndex, addManifest, createContent, serveContent } from '../support/scripted-server.ts';

const MEBIBYTE = Buffer.alloc(1024 * 1024, 0x20);

/** Sends blanks as long as somebody listens, up to the limit. Returns a function that tells how many were sent. */
function flood(response: ServerResponse, limitBytes: number): () => number {
  let sentBytes = 0;
  const pump = (): void => {
    while (sentBytes < limitBytes && !response.destroyed) {
      sentBytes += MEBIBYTE.length;
      if (!response.write(MEBIBYTE)) return;
    }
    response.end();
  };
  response.on('drain', pump);
  pump();
  return () => sentBytes;
}

test('a manifest of 100 MB is given up early', async () => {
  let sentBytes = (): number => 0;
  await assertWrapFails(
    (request, response) => {
      if (request.url === '/v2/') {
        response.end('{}');
        return;
      }
      response.writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' });
      sentBytes = flood(response, 100e6);
    },
    ['DT_LIMIT_EXCEEDED'],
  );
  assert.ok(sentBytes() < 50e6);
});

test('an error answer that never ends is given up early', async () => {
  await assertWrapFails(
    (request, response) => {
      if (request.url === '/v2/') {
        response.end('{}');
        return;
      }
      response.writeHead(500, { 'content-type': 'application/json' });
      flood(response, 1e9);
    },
    ['DT_LIMIT_EXCEEDED', 'DT_REGISTRY_ERROR'],
    { throughProgram: false },
  );
});

test('an index that is nested 50 deep', async () => {
  const content = createContent();
  let child = { ...content.manifest, platform: { os: 'linux', architecture: 'amd64' } };
  for (let depth = 0; depth < 50; depth++)
    child = { ...addIndex(content, [child], depth === 49 ? '1.0' : undefined), platform: child.platform };
  const { requests } = await assertWrapFails(
    (request, response) => {
      serveContent(content, request, response);
    },
    ['DT_MANIFEST_INVALID', 'DT_PLATFORM_NOT_FOUND'],
  );
  assert.ok(requests.length < 40);
});

test('an index with 100000 children', async () => {
  const content = createContent();
  const child = { ...content.manifest, platform: { os: 'linux', architecture: 'amd64' } };
  addIndex(
    content,
    Array.from({ length: 100_000 }, () => child),
    '1.0',
  );
  const { requests } = await assertWrapFails(
    (request, response) => {
      serveContent(content, request, response);
    },
    ['DT_MANIFEST_INVALID', 'DT_LIMIT_EXCEEDED'],
  );
  assert.ok(requests.length < 10);
});

test('an index that promises manifests of 8 MB each costs no memory', async () => {
  const content = createContent();
  const children = Array.from({ length: 2000 }, (_, index) => ({
    mediaType: content.manifest.mediaType,
    digest: `sha256:${String(index).padStart(64, '0')}`,
    size: 8 * 1024 * 1024,
    platform: { os: 'linux', architecture: `arch${String(index)}` },
  }));
  addIndex(content, children, '1.0');
  const { requests } = await assertWrapFails(
    (request, response) => {
      serveContent(content, request, response);
    },
    ['DT_LIMIT_EXCEEDED'],
  );
  assert.ok(requests.length < 10);
});

test('a manifest with 100000 layers', async () => {
  const content = createContent();
  const layers = Array.from({ length: 100_000 }, () => content.layers[0]);
  addManifest(content, { schemaVersion: 2, config: content.layers[0], layers }, content.manifest.mediaType, '1.0');
  await assertWrapFails(
    (request, response) => {
      serveContent(content, request, response);
    },
    ['DT_MANIFEST_INVALID', 'DT_LIMIT_EXCEEDED'],
    { throughProgram: false },
  );
});

test('a layer that promises 8 PB', async () => {
  const content = createContent();
  const layer = { ...content.layers[0], size: Number.MAX_SAFE_INTEGER };
  const config = {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    digest: [...content.blobs.keys()][0],
    size: 37,
  };
  addManifest(content, { schemaVersion: 2, config, layers: [layer] }, content.manifest.mediaType, '1.0');
  await assertWrapFails(
    (request, response) => {
      serveContent(content, request, response);
    },
    ['DT_SIZE_MISMATCH', 'DT_OUTPUT_FAILED', 'DT_DISK_FULL', 'DT_LIMIT_EXCEEDED'],
  );
});
