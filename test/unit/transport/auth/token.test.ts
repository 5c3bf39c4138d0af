import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Credential } from '../../../../src/transport/auth/credential-entry.ts';
import { createTestHttpClient } from '../../../support/http.ts';
import { fetchToken } from '../../../../src/transport/auth/token.ts';
import { sendJson, useScriptedServer } from '../../../support/scripted-server.ts';

const HTTP = await createTestHttpClient();
const CREDENTIAL: Credential = { kind: 'basic', username: 'user', password: 'secret' };

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

test('asks with basic credentials, service and every scope', async (t) => {
  const server = await useScriptedServer(t, (_, response) => {
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
  const server = await useScriptedServer(t, (_, response) => {
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
    const server = await useScriptedServer(t, (_, response) => {
      response.writeHead(status);
      response.end(body);
    });
    await assert.rejects(ask(`http://${server.host}/`, 'http://127.0.0.1/'), { code });
  });
}

test('credentials do not follow a redirect of the token server to another host', async (t) => {
  const foreign = await useScriptedServer(t, (_, response) => {
    sendJson(response, 200, { token: 'T' });
  });
  const server = await useScriptedServer(t, (_, response) => {
    response.writeHead(302, { location: `http://${foreign.host}/` });
    response.end();
  });
  await ask(`http://${server.host}/`, 'http://127.0.0.1/').catch(() => undefined);
  for (const { headers } of foreign.requests) assert.equal(headers.authorization, undefined);
});
