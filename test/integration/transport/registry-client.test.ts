import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { RegistryStore } from '../../../src/content/registry-store.ts';
import type { Credential } from '../../../src/transport/auth/credential-entry.ts';
import { createTestHttpClient } from '../../support/http.ts';
import { RegistryClient } from '../../../src/transport/registry-client.ts';
import {
  createContent,
  sendJson,
  serveContent,
  useScriptedServer,
  type ScriptedHandler,
  type ScriptedServer,
} from '../../support/scripted-server.ts';

const CREDENTIAL: Credential = { kind: 'basic', username: 'user', password: 'secret' };

const http = await createTestHttpClient();

function openStore({ host }: ScriptedServer, credential?: Credential): RegistryStore {
  const credentials = (): Promise<Credential | undefined> => Promise.resolve(credential);
  return new RegistryStore(
    new RegistryClient(host, { http, credentials, usePlainHttp: true, allowPlainHttp: false }),
    'a/b',
  );
}

/** A registry that wants tokens `T1`, `T2`, … of its own token server and takes the newest only. */
function guard(
  content: ReturnType<typeof createContent>,
  expiresInSeconds: number,
): ScriptedHandler & { revoke(): void } {
  let issued = 0;
  let revoked = 0;
  const handle: ScriptedHandler = (request, response, host) => {
    if (request.url.startsWith('/token')) {
      issued++;
      sendJson(response, 200, { token: `T${String(issued)}`, expires_in: expiresInSeconds });
    } else if (request.headers.authorization === `Bearer T${String(issued)}` && issued > revoked)
      serveContent(content, request, response);
    else sendJson(response, 401, {}, { 'www-authenticate': `Bearer realm="http://${host}/token",service="s"` });
  };
  return Object.assign(handle, {
    revoke: () => {
      revoked = issued;
    },
  });
}

const tokenRequests = ({ requests }: ScriptedServer): number =>
  requests.filter(({ url }) => url.startsWith('/token')).length;

test('a 401 is answered with a token, which is used again', async (t) => {
  const content = createContent();
  const server = await useScriptedServer(t, guard(content, 300));
  const store = openStore(server);
  await store.readManifest('1.0');
  await store.readManifest(content.manifest.digest);
  await buffer(await store.openBlob(content.layers[0] ?? content.manifest));
  assert.equal(tokenRequests(server), 1);
  assert.equal(server.requests.length, 5);
});

test('a token that was revoked is asked for again', async (t) => {
  const content = createContent();
  const handle = guard(content, 300);
  const server = await useScriptedServer(t, handle);
  const store = openStore(server);
  await store.readManifest('1.0');
  handle.revoke();
  await store.readManifest('1.0');
  assert.equal(tokenRequests(server), 2);
});

test('a token that has expired is renewed before it is used', async (t) => {
  const server = await useScriptedServer(t, guard(createContent(), 1));
  const store = openStore(server);
  await store.readManifest('1.0');
  await new Promise((resolve) => setTimeout(resolve, 1100));
  await store.readManifest('1.0');
  assert.equal(tokenRequests(server), 2);
  assert.equal(
    server.requests.filter(({ headers, url }) => !url.startsWith('/token') && headers.authorization === undefined)
      .length,
    1,
  );
});

test('a registry that refuses every token is not asked for ever', async (t) => {
  const server = await useScriptedServer(t, (request, response, host) => {
    if (request.url.startsWith('/token')) sendJson(response, 200, { token: 'T' });
    else sendJson(response, 401, {}, { 'www-authenticate': `Bearer realm="http://${host}/token"` });
  });
  await assert.rejects(openStore(server).readManifest('1.0'), { code: 'DT_AUTH_REQUIRED' });
  assert.ok(server.requests.length <= 3);
});

test('basic credentials are sent only when they are asked for', async (t) => {
  const content = createContent();
  const server = await useScriptedServer(t, (request, response) => {
    if (request.headers.authorization === undefined)
      sendJson(response, 401, {}, { 'www-authenticate': 'Basic realm="x"' });
    else serveContent(content, request, response);
  });
  await openStore(server, CREDENTIAL).readManifest('1.0');
  assert.deepEqual(
    server.requests.map(({ headers }) => headers.authorization),
    [undefined, 'Basic dXNlcjpzZWNyZXQ='],
  );
  await assert.rejects(openStore(server).readManifest('1.0'), { code: 'DT_AUTH_REQUIRED' });
});

for (const [status, code] of [
  [403, 'DT_AUTH_DENIED'],
  [404, 'DT_NOT_FOUND'],
  [418, 'DT_REGISTRY_ERROR'],
  [200, 'DT_DIGEST_MISMATCH'],
] as const) {
  test(`the answer ${String(status)} to a manifest is ${code}`, async (t) => {
    const server = await useScriptedServer(t, (_, response) => {
      sendJson(response, status, { errors: [{ code: 'X', message: 'why' }] });
    });
    await assert.rejects(openStore(server).readManifest(createContent().manifest.digest), { code });
  });
}

test('a HEAD without headers is followed by a GET', async (t) => {
  const content = createContent();
  const server = await useScriptedServer(t, (request, response) => {
    if (request.method !== 'HEAD') serveContent(content, request, response);
    else response.writeHead(200).end();
  });
  assert.deepEqual(await openStore(server).resolve('1.0'), content.manifest);
});

for (const place of ['relative', 'absolute', 'foreign'] as const) {
  test(`an upload goes to a ${place} Location, with its query, and with credentials only to the registry`, async (t) => {
    const foreign = await useScriptedServer(t, (_, response) => {
      response.writeHead(201).end();
    });
    const server = await useScriptedServer(t, (request, response, host) => {
      if (request.headers.authorization === undefined)
        sendJson(response, 401, {}, { 'www-authenticate': 'Basic realm="x"' });
      else if (request.method === 'HEAD') response.writeHead(404).end();
      else if (request.method === 'POST') {
        const base = { relative: '', absolute: `http://${host}`, foreign: `http://${foreign.host}` }[place];
        response.writeHead(202, { location: `${base}/upload/1?state=a%2Bb` }).end();
      } else response.writeHead(201).end();
    });
    const content = createContent();
    const [layer] = content.layers;
    assert.ok(layer !== undefined);
    const bytes = content.blobs.get(layer.digest) ?? Buffer.alloc(0);
    const outcome = await openStore(server, CREDENTIAL).writeBlob(layer, () =>
      Promise.resolve(Readable.from([bytes], { objectMode: false })),
    );
    assert.equal(outcome, 'written');
    const put = (place === 'foreign' ? foreign : server).requests.find(({ method }) => method === 'PUT');
    assert.ok(put !== undefined);
    const url = new URL(put.url, 'http://x');
    assert.equal(url.searchParams.get('state'), 'a+b');
    assert.equal(url.searchParams.get('digest'), layer.digest);
    assert.ok(put.body.equals(bytes));
    assert.equal(put.headers.authorization, place === 'foreign' ? undefined : 'Basic dXNlcjpzZWNyZXQ=');
  });
}

test('an upload without a Location, and a registry that stores another digest, are errors', async (t) => {
  const content = createContent();
  const server = await useScriptedServer(t, (request, response) => {
    if (request.method === 'HEAD') response.writeHead(404).end();
    else if (request.method === 'POST') response.writeHead(202).end();
    else response.writeHead(201, { 'docker-content-digest': `sha256:${'0'.repeat(64)}` }).end();
  });
  const store = openStore(server);
  await assert.rejects(
    store.writeBlob(content.layers[0] ?? content.manifest, () => Promise.reject(new Error('never'))),
    { code: 'DT_REGISTRY_ERROR' },
  );
  const bytes = content.manifests.get('1.0')?.bytes ?? Buffer.alloc(0);
  await assert.rejects(store.writeManifest({ descriptor: content.manifest, bytes }, ['1.0']), {
    code: 'DT_DIGEST_MISMATCH',
  });
});

for (const location of ['ftp://127.0.0.1/x', 'file:///tmp/x', 'javascript:x', 'http://[', 'http://127.0.0.1:1/x']) {
  test(`an upload to ${location} is an error of the registry`, async (t) => {
    const server = await useScriptedServer(t, (request, response) => {
      if (request.method === 'POST') response.writeHead(202, { location }).end();
      else response.writeHead(404).end();
    });
    const blob = createContent().layers[0];
    assert.ok(blob !== undefined);
    const open = (): Promise<Readable> => Promise.resolve(Readable.from([Buffer.alloc(1)], { objectMode: false }));
    await assert.rejects(openStore(server).writeBlob(blob, open), { exitCode: 5 });
  });
}

test('a blob that is stored under another digest is an error', async (t) => {
  const content = createContent();
  const server = await useScriptedServer(t, (request, response) => {
    if (request.method === 'HEAD') response.writeHead(404).end();
    else if (request.method === 'POST') response.writeHead(202, { location: '/upload' }).end();
    else response.writeHead(201, { 'docker-content-digest': `sha256:${'0'.repeat(64)}` }).end();
  });
  const blob = content.layers[0];
  assert.ok(blob !== undefined);
  const bytes = content.blobs.get(blob.digest) ?? Buffer.alloc(0);
  const open = (): Promise<Readable> => Promise.resolve(Readable.from([bytes], { objectMode: false }));
  await assert.rejects(openStore(server).writeBlob(blob, open), { code: 'DT_DIGEST_MISMATCH', side: 'destination' });
});

test('a loopback registry that cuts every connection is not said to have broken TLS', async (t) => {
  const server = await useScriptedServer(t, (_, response) => response.destroy());
  const options = { http, credentials: () => Promise.resolve(undefined), usePlainHttp: false, allowPlainHttp: false };
  await assert.rejects(
    new RegistryStore(new RegistryClient(server.host, options), 'a/b').readManifest('1.0'),
    (error) => {
      assert.ok(error instanceof Error && !/EPROTO|SSL/.test(error.message));
      return true;
    },
  );
});

test('a connection that is cut in the middle of a blob is an error of the registry', async (t) => {
  const server = await useScriptedServer(t, (_, response) => {
    response.writeHead(200, { 'content-length': '1000' });
    response.write('x', () => response.destroy());
  });
  const stream = await openStore(server).openBlob(createContent().manifest);
  await assert.rejects(buffer(stream), { code: 'DT_REGISTRY_UNREACHABLE' });
});

test('plain HTTP is found by itself on loopback, and only there', async (t) => {
  const content = createContent();
  const server = await useScriptedServer(t, (request, response) => {
    serveContent(content, request, response);
  });
  const options = { http, credentials: () => Promise.resolve(undefined), usePlainHttp: false, allowPlainHttp: false };
  await new RegistryStore(new RegistryClient(server.host, options), 'a/b').readManifest('1.0');
  await assert.rejects(new RegistryStore(new RegistryClient('127.0.0.1:1', options), 'a/b').readManifest('1.0'), {
    code: 'DT_REGISTRY_UNREACHABLE',
  });
});

test('an interruption of the run ends the request for a token', { timeout: 20_000 }, async (t) => {
  const interruption = new AbortController();
  const server = await useScriptedServer(t, (request, response, host) => {
    if (request.url.startsWith('/token')) interruption.abort();
    else sendJson(response, 401, {}, { 'www-authenticate': `Bearer realm="http://${host}/token",service="s"` });
  });
  const client = new RegistryClient(server.host, {
    http,
    credentials: () => Promise.resolve(undefined),
    usePlainHttp: true,
    allowPlainHttp: false,
    signal: interruption.signal,
  });
  await assert.rejects(new RegistryStore(client, 'a/b').readManifest('1.0'), { code: 'DT_INTERRUPTED' });
});

test('a registry that knows the repository by another name gets a token for that one too', async (t) => {
  const content = createContent();
  const scopes: string[][] = [];
  const server = await useScriptedServer(t, (request, response, host) => {
    const url = new URL(request.url, `http://${host}`);
    if (url.pathname === '/token') {
      scopes.push(url.searchParams.getAll('scope'));
      sendJson(response, 200, { token: `T${String(scopes.length)}` });
    } else if (
      scopes.at(-1)?.includes('repository:mirror/a/b:pull') === true &&
      request.headers.authorization !== undefined
    ) {
      serveContent(content, request, response);
    } else {
      const scope = 'repository:mirror/a/b:pull';
      const challenge = `Bearer realm="http://${host}/token",service="s",scope="${scope}"`;
      sendJson(response, 401, {}, { 'www-authenticate': challenge });
    }
  });
  const store = openStore(server);
  await store.readManifest('1.0');
  await store.readManifest(content.manifest.digest);
  assert.deepEqual(scopes, [['repository:a/b:pull'], ['repository:a/b:pull', 'repository:mirror/a/b:pull']]);
});
