import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { wrapChart } from '../../src/workflows/wrap-chart.ts';
import { assertWrapFails } from '../support/assert-wrap-fails.ts';
import { chartFiles, createTestContext, withFolder, writeFiles } from '../support/hostile-wraps.ts';
import { createContent, sendJson, serveContent, startScriptedServer } from '../support/scripted-server.ts';

for (const location of [
  'file:///etc/passwd',
  'ftp://example.com/x',
  'data:text/plain,x',
  'javascript:1',
  'http://unix:/var/run/docker.sock:/x',
  'http://[',
  '//',
]) {
  test(`a redirect to ${location} is not followed`, async () => {
    const content = createContent();
    await assertWrapFails(
      (request, response) => {
        if (!request.url.includes('/blobs/')) {
          serveContent(content, request, response);
          return;
        }
        response.writeHead(307, { location });
        response.end();
      },
      ['DT_REGISTRY_UNREACHABLE', 'DT_REGISTRY_ERROR'],
      { throughProgram: location.startsWith('file:') },
    );
  });
}

test('a circle of redirects ends', async () => {
  const { requests } = await assertWrapFails(
    (request, response) => {
      if (request.url === '/v2/') {
        response.end('{}');
        return;
      }
      response.writeHead(307, { location: request.url });
      response.end();
    },
    ['DT_REGISTRY_UNREACHABLE', 'DT_REGISTRY_ERROR'],
  );
  assert.ok(requests.length < 40);
});

test('a blob that is redirected to another host arrives, and the credentials stay behind', async () => {
  const content = createContent();
  const storage = await startScriptedServer((request, response) => {
    serveContent(content, request, response);
  });
  const registry = await startScriptedServer((request, response) => {
    if (request.headers.authorization !== 'Basic dXNlcjpzZWNyZXQ=') {
      sendJson(response, 401, {}, { 'www-authenticate': 'Basic realm="x"' });
    } else if (request.url.includes('/blobs/')) {
      response.writeHead(307, { location: `http://${storage.host}${request.url}`, 'set-cookie': 'a=b' });
      response.end();
    } else serveContent(content, request, response);
  });
  try {
    await withFolder(async (folder) => {
      const auths = {
        [registry.host]: { auth: Buffer.from('user:secret').toString('base64') },
        [storage.host]: { auth: Buffer.from('storage:secret').toString('base64') },
      };
      await writeFiles(folder, { 'auth.json': JSON.stringify({ auths }) });
      await writeFiles(join(folder, 'demo'), chartFiles([`${registry.host}/library/app:1.0`]));
      const outputFile = join(folder, 'out', 'demo.wrap.tgz');
      await wrapChart(
        {
          source: { location: join(folder, 'demo') },
          outputFile,
          platforms: [],
          allowEmpty: false,
          skipImages: false,
          isCompatible: false,
        },
        await createTestContext({ REGISTRY_AUTH_FILE: join(folder, 'auth.json') }),
      );
      assert.deepEqual(await readdir(join(folder, 'out')), ['demo.wrap.tgz']);
      assert.ok(storage.requests.length > 0);
      for (const { headers } of storage.requests) {
        assert.equal(headers.authorization, undefined);
        assert.equal(headers.cookie, undefined);
      }
    });
  } finally {
    await registry.close();
    await storage.close();
  }
});
