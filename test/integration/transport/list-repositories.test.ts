import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { test, type TestContext } from 'node:test';
import { listRepositories } from '../../../src/transport/list-repositories.ts';
import { createRegistryClients } from '../../../src/transport/registry-clients.ts';
import type { RegistryClient } from '../../../src/transport/registry-client.ts';
import { findDistribution3, startDistribution3, TEST_CREDENTIALS } from '../../support/registries.ts';
import { startScriptedServer } from '../../support/scripted-server.ts';
import { skipLoudly } from '../../support/skip-loudly.ts';
import { startTokenServer } from '../../support/token-server.ts';
import { pushImage } from '../../support/images.ts';

type Page = (last: string | null) => { readonly names: unknown; readonly next?: string | undefined };

test('all pages are read, on the host that was asked', async (t) => {
  const client = await startCatalog(t, (last) =>
    last === null
      ? { names: ['a/x', 'b/x'], next: 'http://elsewhere.example/v2/_catalog?last=b%2Fx' }
      : { names: ['a/y', 'a/x'] },
  );
  assert.deepEqual(await listRepositories(client, (name) => name.startsWith('a/'), 10), ['a/x', 'a/y']);
});

test('a page that leads to itself is the last one', async (t) => {
  const client = await startCatalog(t, () => ({ names: ['a'], next: '/v2/_catalog?n=1000' }));
  assert.deepEqual(await listRepositories(client, () => true, 10), ['a']);
});

test('a list without end is given up, and one that is too long', async (t) => {
  let page = 0;
  const endless = await startCatalog(t, () => ({ names: [], next: `/v2/_catalog?last=${String(page++)}` }));
  await assert.rejects(
    listRepositories(endless, () => true, 10),
    { code: 'DT_LIMIT_EXCEEDED' },
  );
  const long = await startCatalog(t, () => ({ names: ['a', 'b', 'c'] }));
  await assert.rejects(
    listRepositories(long, () => true, 2),
    { code: 'DT_LIMIT_EXCEEDED' },
  );
  assert.deepEqual(await listRepositories(long, (name) => name !== 'b', 2), ['a', 'c']);
});

test('what is no list is an error of the registry, what is no name is left out', async (t) => {
  const odd = await startCatalog(t, () => ({ names: ['a', '../b', 'A', 1, null] }));
  assert.deepEqual(await listRepositories(odd, () => true, 10), ['a']);
  const none = await startCatalog(t, () => ({ names: undefined }));
  assert.deepEqual(await listRepositories(none, () => true, 10), []);
  const server = await startScriptedServer((request, response) => {
    answer(response, request.url === '/v2/' ? '{}' : 'repositories: none');
  });
  t.after(async () => server.close());
  await assert.rejects(
    listRepositories(await clientOf(server.host), () => true, 10),
    { code: 'DT_REGISTRY_ERROR' },
  );
});

test('a token is asked for with the scope of the list', async (t) => {
  if (findDistribution3() === undefined) {
    skipLoudly(t, 'distribution 3 is not installed');
    return;
  }
  const tokens = await startTokenServer();
  const registry = await startDistribution3({ tokens: tokens.authority });
  t.after(async () => Promise.all([registry.close(), tokens.close()]));
  await pushImage(registry.host, 'a/x:1', { authorization: `Bearer ${tokens.issue(['repository:a/x:pull,push'])}` });
  const client = await clientOf(registry.host, { registry: registry.host, ...TEST_CREDENTIALS });
  assert.deepEqual(await listRepositories(client, () => true, 10), ['a/x']);
  assert.ok(tokens.asked.some(({ scopes }) => scopes.includes('registry:catalog:*')));
});

async function startCatalog(t: TestContext, page: Page): Promise<RegistryClient> {
  const server = await startScriptedServer((request, response, host) => {
    const url = new URL(request.url, `http://${host}`);
    if (url.pathname !== '/v2/_catalog') {
      answer(response, '{}');
      return;
    }
    const { names, next } = page(url.searchParams.get('last'));
    if (next !== undefined) response.setHeader('link', `<${next}>; rel="next"`);
    answer(response, JSON.stringify({ repositories: names }));
  });
  t.after(async () => server.close());
  return clientOf(server.host);
}

function answer(response: ServerResponse, body: string): void {
  response.setHeader('content-type', 'application/json');
  response.end(body);
}

async function clientOf(
  host: string,
  credential?: { readonly registry: string; readonly username: string; readonly password: string },
): Promise<RegistryClient> {
  const clients = await createRegistryClients({
    userAgent: 'test',
    insecure: false,
    usePlainHttp: false,
    environment: {},
    credential,
  });
  return clients.forRegistry(host);
}
