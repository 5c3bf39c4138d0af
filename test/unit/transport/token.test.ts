import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Credential } from '../../../src/transport/credentials.ts';
import { createTestHttpClient } from '../../support/http.ts';
import { fetchToken, isLoopback, isPrivate } from '../../../src/transport/token.ts';
import {
  sendJson,
  startScriptedServer,
  type ScriptedHandler,
  type ScriptedServer,
} from '../../support/scripted-server.ts';

const HTTP = await createTestHttpClient();
const CREDENTIAL: Credential = { kind: 'basic', username: 'user', password: 'secret' };

/** A server that goes away with the test. */
async function start(t: TestContext, handle: ScriptedHandler): Promise<ScriptedServer> {
  const server = await startScriptedServer(handle);
  t.after(async () => server.close());
  return server;
}

async function ask(
  realm: string | undefined,
  registryUrl: string,
  credential: Credential | 'none' = CREDENTIAL,
): ReturnType<typeof fetchToken> {
  return fetchToken(HTTP, {
    challenge: { scheme: 'bearer', parameters: realm === undefined ? {} : { realm, service: 'the service' } },
    scopes: ['repository:a:pull', 'repository:b:pull'],
    credential: credential === 'none' ? undefined : credential,
    registryUrl: new URL(registryUrl),
  });
}

// Realm and registry: nothing is sent.
const REFUSED: readonly (readonly [realm: string | undefined, registry: string])[] = [
  [undefined, 'https://registry.example/'],
  ['', 'https://registry.example/'],
  ['/token', 'https://registry.example/'],
  ['not a url', 'https://registry.example/'],
  ['file:///etc/passwd', 'https://registry.example/'],
  ['ftp://auth.example/', 'http://127.0.0.1/'],
  ['javascript:alert(1)', 'https://registry.example/'],
  ['http://auth.example/', 'https://registry.example/'],
  ['http://127.0.0.1:1/', 'https://127.0.0.1/'],
  ['http://169.254.169.254/', 'http://127.0.0.1/'],
  ['https://169.254.169.254/', 'https://registry.example/'],
  ['https://[fe80::1]/', 'https://registry.example/'],
  ['https://[fd00:ec2::254]/', 'https://registry.example/'],
  ['https://[::ffff:169.254.169.254]/', 'https://10.0.0.1/'],
  ['https://metadata.google.internal/', 'https://10.0.0.1/'],
  ['https://metadata.google.internal./', 'https://10.0.0.1/'],
  ['https://127.0.0.1/', 'https://registry.example/'],
  ['https://2130706433/', 'https://registry.example/'],
  ['https://0x7f.1/', 'https://registry.example/'],
  ['https://0.0.0.0/', 'https://registry.example/'],
  ['https://[::]/', 'https://registry.example/'],
  ['https://[::1]/', 'https://registry.example/'],
  ['https://[::ffff:127.0.0.1]/', 'https://registry.example/'],
  ['https://[::ffff:10.0.0.1]/', 'https://registry.example/'],
  ['https://localhost/', 'https://registry.example/'],
  ['https://localhost./', 'https://registry.example/'],
  ['https://x.localhost/', 'https://registry.example/'],
  ['https://10.1.2.3/', 'https://registry.example/'],
  ['https://172.16.0.1/', 'https://registry.example/'],
  ['https://192.168.0.1/', 'https://8.8.8.8/'],
  ['https://[fd12::1]/', 'https://registry.example/'],
];

for (const [realm, registry] of REFUSED) {
  test(`the realm ${realm ?? 'undefined'} is refused for ${registry}`, async () => {
    await assert.rejects(ask(realm, registry), { code: 'DT_AUTH_DENIED', message: /not safe/ });
  });
}

test('tells loopback and private addresses from public ones', () => {
  for (const host of ['localhost', 'a.localhost', '127.0.0.1', '127.9.9.9', '[::1]', '0.0.0.0', '[::ffff:7f00:1]'])
    assert.equal(isLoopback(host), true, host);
  for (const host of ['localhost.com', '128.0.0.1', '[::2]', '127.example.com', '10.0.0.1'])
    assert.equal(isLoopback(host), false, host);
  for (const host of ['10.0.0.1', '172.31.0.1', '192.168.1.1', '[fc00::1]', '127.0.0.1'])
    assert.equal(isPrivate(host), true, host);
  for (const host of ['11.0.0.1', '172.32.0.1', '192.169.1.1', '10.example.com', 'fd.example.com', '[2001:db8::1]'])
    assert.equal(isPrivate(host), false, host);
});

test('asks with basic credentials, service and every scope', async (t) => {
  const server = await start(t, (_, response) => {
    sendJson(response, 200, { token: 'T', expires_in: 300 });
  });
  const token = await ask(`http://${server.host}/token?keep=1`, 'http://127.0.0.1/');
  assert.equal(token.value, 'T');
  assert.ok(token.expiresAtMs > Date.now() + 250_000 && token.expiresAtMs <= Date.now() + 300_000);
  const [request] = server.requests;
  const url = new URL(request?.url ?? '', 'http://x');
  assert.equal(url.searchParams.get('keep'), '1');
  assert.equal(url.searchParams.get('service'), 'the service');
  assert.deepEqual(url.searchParams.getAll('scope'), ['repository:a:pull', 'repository:b:pull']);
  assert.equal(request?.headers.authorization, 'Basic dXNlcjpzZWNyZXQ=');
});

test('an identity token is exchanged by POST, and nobody is asked without credentials for any', async (t) => {
  const server = await start(t, (_, response) => {
    sendJson(response, 200, { access_token: 'A' });
  });
  assert.equal(
    (await ask(`http://${server.host}/token`, 'http://127.0.0.1/', { kind: 'identity-token', token: 'refresh' })).value,
    'A',
  );
  assert.equal((await ask(`http://${server.host}/token`, 'http://127.0.0.1/', 'none')).value, 'A');
  const [post, get] = server.requests;
  assert.equal(post?.method, 'POST');
  assert.equal(new URLSearchParams(post.body.toString()).get('refresh_token'), 'refresh');
  assert.equal(post.headers.authorization, undefined);
  assert.equal(get?.method, 'GET');
  assert.equal(get.headers.authorization, undefined);
});

for (const [name, status, body, code] of [
  ['a refusal', 401, '{}', 'DT_AUTH_DENIED'],
  ['a server error', 500, '{}', 'DT_REGISTRY_ERROR'],
  ['too many requests', 429, '{}', 'DT_REGISTRY_ERROR'],
  ['no JSON', 200, '<html>', 'DT_REGISTRY_ERROR'],
  ['null', 200, 'null', 'DT_REGISTRY_ERROR'],
  ['no token', 200, '{}', 'DT_REGISTRY_ERROR'],
  ['an empty token', 200, '{"token":""}', 'DT_REGISTRY_ERROR'],
  ['a token that is no text', 200, '{"token":5}', 'DT_REGISTRY_ERROR'],
  ['a token that ends the header', 200, '{"token":"a\\r\\nx: y"}', 'DT_REGISTRY_ERROR'],
  ['two megabytes', 200, ' '.repeat(2e6), 'DT_LIMIT_EXCEEDED'],
] as const) {
  test(`a token server that answers with ${name}`, async (t) => {
    const server = await start(t, (_, response) => {
      response.writeHead(status);
      response.end(body);
    });
    await assert.rejects(ask(`http://${server.host}/`, 'http://127.0.0.1/'), { code });
  });
}

test('credentials do not follow a redirect of the token server to another host', async (t) => {
  const foreign = await start(t, (_, response) => {
    sendJson(response, 200, { token: 'T' });
  });
  const server = await start(t, (_, response) => {
    response.writeHead(302, { location: `http://${foreign.host}/` });
    response.end();
  });
  await ask(`http://${server.host}/`, 'http://127.0.0.1/').catch(() => undefined);
  for (const { headers } of foreign.requests) assert.equal(headers.authorization, undefined);
});
