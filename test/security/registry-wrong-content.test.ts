import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertWrapFails } from '../support/assert-wrap-fails.ts';
import { randomBytesOf } from '../support/images.ts';
import { createContent, serveContent } from '../support/scripted-server.ts';

const SMALL = Buffer.from('layer one');
const LARGE = randomBytesOf('hostile', 100_000);

for (const [name, layer] of [
  ['small', SMALL],
  ['large', LARGE],
] as const) {
  test(`a registry that gives other bytes for a ${name} blob`, async () => {
    const content = createContent([layer]);
    const other = Buffer.from(layer);
    other.writeUInt8(other.readUInt8(3) ^ 1, 3);
    content.blobs.set(content.layers[0]?.digest ?? '', other);
    await assertWrapFails(
      (request, response) => {
        serveContent(content, request, response);
      },
      ['DT_DIGEST_MISMATCH'],
    );
  });

  test(`a registry that gives a ${name} blob cut`, async () => {
    const content = createContent([layer]);
    content.blobs.set(content.layers[0]?.digest ?? '', layer.subarray(1));
    await assertWrapFails(
      (request, response) => {
        serveContent(content, request, response);
      },
      ['DT_SIZE_MISMATCH'],
      { throughProgram: false },
    );
  });

  test(`a registry that adds a byte to a ${name} blob`, async () => {
    const content = createContent([layer]);
    content.blobs.set(content.layers[0]?.digest ?? '', Buffer.concat([layer, SMALL]));
    await assertWrapFails(
      (request, response) => {
        serveContent(content, request, response);
      },
      ['DT_SIZE_MISMATCH'],
      { throughProgram: false },
    );
  });

  test(`a registry whose ${name} blob never ends`, async () => {
    const content = createContent([layer]);
    const path = `/v2/library/app/blobs/${content.layers[0]?.digest ?? ''}`;
    let sentBytes = 0;
    await assertWrapFails(
      (request, response) => {
        if (request.url !== path) {
          serveContent(content, request, response);
          return;
        }
        response.writeHead(200);
        const pump = (): void => {
          while (!response.destroyed) {
            sentBytes += 65_536;
            if (!response.write(Buffer.alloc(65_536))) break;
          }
        };
        response.on('drain', pump);
        pump();
      },
      ['DT_SIZE_MISMATCH'],
    );
    assert.ok(sentBytes < 200e6);
  });

  test(`a registry that hangs up in a ${name} blob`, async () => {
    const content = createContent([layer]);
    const path = `/v2/library/app/blobs/${content.layers[0]?.digest ?? ''}`;
    await assertWrapFails(
      (request, response) => {
        if (request.url !== path) {
          serveContent(content, request, response);
          return;
        }
        response.writeHead(200, { 'content-length': String(layer.length) });
        response.write(layer.subarray(0, 4), () => response.destroy());
      },
      ['DT_REGISTRY_UNREACHABLE', 'DT_SIZE_MISMATCH'],
      { throughProgram: name === 'large' },
    );
  });
}

test('a registry whose manifest has another digest than its header says', async () => {
  const content = createContent();
  await assertWrapFails(
    (request, response) => {
      if (!request.url.endsWith('/manifests/1.0')) {
        serveContent(content, request, response);
        return;
      }
      response.writeHead(200, {
        'content-type': content.manifest.mediaType,
        'docker-content-digest': `sha256:${'0'.repeat(64)}`,
      });
      response.end(content.manifests.get('1.0')?.bytes);
    },
    ['DT_DIGEST_MISMATCH'],
  );
});

test('a registry that gives another manifest for the digest that was asked for', async () => {
  const content = createContent();
  const other = createContent([Buffer.from('other')]);
  await assertWrapFails(
    (request, response) => {
      serveContent(
        request.url.includes('/manifests/')
          ? {
              ...content,
              manifests: new Map([
                [
                  content.manifest.digest,
                  { bytes: other.manifests.get('1.0')?.bytes ?? Buffer.alloc(0), mediaType: other.manifest.mediaType },
                ],
              ]),
            }
          : content,
        request,
        response,
      );
    },
    ['DT_DIGEST_MISMATCH'],
    { image: `app@${content.manifest.digest}` },
  );
});

for (const [name, body] of Object.entries({
  'that is no JSON': '<html>',
  'that is null': 'null',
  'of Docker schema 1': '{"schemaVersion":1,"fsLayers":[]}',
  'with a config of negative size':
    '{"schemaVersion":2,"config":{"mediaType":"a","digest":"sha256:0","size":-1},"layers":[]}',
  'nested a million deep': '['.repeat(1_000_000),
  'that is empty': '',
})) {
  test(`a registry with a manifest ${name}`, async () => {
    await assertWrapFails(
      (request, response) => {
        if (request.url === '/v2/') {
          response.end('{}');
          return;
        }
        response.writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' });
        response.end(body);
      },
      ['DT_MANIFEST_INVALID'],
      { throughProgram: name === 'nested a million deep' },
    );
  });
}
