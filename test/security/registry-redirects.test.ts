import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { RegistryStore } from '../../src/content/registry-store.ts';
import { RegistryClient } from '../../src/transport/registry-client.ts';
import { wrapCharts } from '../../src/workflows/wrap-charts.ts';
import { assertWrapFails } from '../support/assert-wrap-fails.ts';
import { chartFiles, createTestContext, withFolder, writeFiles } from '../support/hostile-wraps.ts';
import { createTestHttpClient } from '../support/http.ts';
import {
  createContent,
  sendJson,
  serveContent,
  startScriptedServer,
  useScriptedServer,
} from '../support/scripted-server.ts';

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
      await wrapCharts(
        {
          sources: [{ location: join(folder, 'demo') }],
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

test('a challenge of the host that a redirect has led to gets no answer', async (t) => {
  const thief = await useScriptedServer(t, (_, response) => {
    sendJson(response, 200, { token: 'T' });
  });
  const storage = await useScriptedServer(t, (_, response) => {
    sendJson(response, 401, {}, { 'www-authenticate': `Bearer realm="http://${thief.host}/token",service="s"` });
  });
  const registry = await useScriptedServer(t, (request, response) => {
    if (request.url === '/v2/') sendJson(response, 200, {});
    else response.writeHead(307, { location: `http://${storage.host}${request.url}` }).end();
  });
  const client = new RegistryClient(registry.host, {
    http: await createTestHttpClient(),
    credentials: () => Promise.resolve({ kind: 'basic', username: 'user', password: 'planted' }),
    usePlainHttp: true,
    allowPlainHttp: false,
  });
  await assert.rejects(new RegistryStore(client, 'library/app').openBlob(createContent().manifest), {
    code: 'DT_AUTH_DENIED',
  });
  assert.equal(storage.requests.length, 1);
  assert.deepEqual(thief.requests, []);
});
