import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { isDtError } from '../../src/domain/errors.ts';
import { createConnections } from '../../src/transport/connections/connections.ts';
import { createHttpClient, type HttpClient } from '../../src/transport/http/http-client.ts';
import { uploadLocation } from '../../src/transport/upload-session.ts';
import { catchError } from '../support/assert-refused.ts';
import { createTestAuthority } from '../support/certificates.ts';
import { QUICK_RETRIES } from '../support/http.ts';
import { startScriptedServer, type ScriptedServer } from '../support/scripted-server.ts';

interface Registry {
  readonly http: HttpClient;
  readonly server: ScriptedServer;
}

/** A trusted registry with TLS that redirects everything. */
async function startRedirecting(t: TestContext, location: (host: string) => string): Promise<Registry> {
  const authority = await createTestAuthority(t);
  const server = await startScriptedServer(
    (_, response, host) => {
      response.writeHead(307, { location: location(host) }).end();
    },
    { tls: await authority.issue('127.0.0.1') },
  );
  t.after(async () => server.close());
  const connections = await createConnections({
    insecure: false,
    maxSocketsPerHost: 4,
    environment: {},
    caFiles: [authority.certificate],
    certificateFolders: [],
  });
  return { server, http: createHttpClient({ userAgent: 'test', connections, retryPolicy: QUICK_RETRIES }) };
}

async function ask({ http, server }: Registry, isVerified = true): Promise<number> {
  const headers = { authorization: 'Bearer planted', cookie: 'planted=1' };
  const url = new URL(`https://${server.host}/v2/a/blobs/x`);
  return (await http.send({ method: 'GET', url, headers, isVerified })).status;
}

test('a redirect from https to http goes without credentials', async (t) => {
  const storage = await startScriptedServer((_, response) => {
    response.end('bytes');
  });
  t.after(async () => storage.close());
  const registry = await startRedirecting(t, () => `http://${storage.host}/x`);
  assert.equal(await ask(registry), 200);
  assert.equal(registry.server.requests[0]?.headers.authorization, 'Bearer planted');
  assert.equal(storage.requests.length, 1);
  assert.equal(storage.requests[0]?.headers.authorization, undefined);
  assert.equal(storage.requests[0]?.headers.cookie, undefined);
});

test('a redirect from https to http is not followed for what no digest vouches for', async (t) => {
  const stranger = await startScriptedServer((_, response) => {
    response.end('bytes');
  });
  t.after(async () => stranger.close());
  const registry = await startRedirecting(t, () => `http://${stranger.host}/x`);
  assert.ok(isDtError(await catchError(ask(registry, false)), 'DT_REGISTRY_ERROR'));
  assert.deepEqual(stranger.requests, []);
});

for (const host of ['169.254.169.254', '[fd00:ec2::254]', '[fe80::1]', '2852039166', '[::ffff:a9fe:a9fe]']) {
  test(`a redirect to the metadata address ${host} is not followed`, async (t) => {
    const registry = await startRedirecting(t, () => `http://${host}/latest/meta-data/`);
    const error = await catchError(ask(registry));
    assert.ok(isDtError(error, 'DT_REGISTRY_ERROR'), String(error));
    assert.equal(registry.server.requests.length, 1);
  });
}

test('a redirect to a metadata address at the second hop is not followed either', async (t) => {
  const storage = await startScriptedServer((_, response) => {
    response.writeHead(302, { location: 'http://169.254.169.254/' }).end();
  });
  t.after(async () => storage.close());
  const registry = await startRedirecting(t, () => `http://${storage.host}/x`);
  assert.ok(isDtError(await catchError(ask(registry)), 'DT_REGISTRY_ERROR'));
  assert.equal(storage.requests.length, 1);
});

for (const location of ['http://169.254.169.254/x', 'https://[fd00:ec2::254]/x', '//0xa9fea9fe/x']) {
  test(`the Location ${location} of an upload is refused`, () => {
    const url = new URL('http://registry.example/v2/a/blobs/uploads/');
    const answer = { status: 202, headers: { location }, url, body: Buffer.alloc(0) };
    assert.throws(() => uploadLocation(answer, url.host), { code: 'DT_REGISTRY_ERROR' });
    const allowed = { ...answer, headers: { location: 'https://uploads.example/x' } };
    assert.equal(uploadLocation(allowed, url.host).href, 'https://uploads.example/x');
  });
}

test('the Location of an upload does not leave TLS', () => {
  const url = new URL('https://registry.example/v2/a/blobs/uploads/');
  const answer = { status: 202, headers: { location: 'http://registry.example/x' }, url, body: Buffer.alloc(0) };
  assert.throws(() => uploadLocation(answer, url.host), { code: 'DT_REGISTRY_ERROR' });
});
