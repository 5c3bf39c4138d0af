import assert from 'node:assert/strict';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { TLSSocket } from 'node:tls';
import { createConnections, type ConnectionOptions } from '../../../src/transport/connections/connections.ts';
import { createHttpClient, type HttpClient } from '../../../src/transport/http/http-client.ts';
import { isDtError } from '../../../src/domain/errors.ts';
import { createTestAuthority, type KeyPair } from '../../support/certificates.ts';
import { QUICK_RETRIES } from '../../support/http.ts';
import { startNginx } from '../../support/nginx.ts';
import { startScriptedServer } from '../../support/scripted-server.ts';
import { requireTool } from '../../support/tools.ts';

const UNTRUSTED = { code: 'DT_REGISTRY_UNREACHABLE' } as const;

async function createClient(options: Partial<ConnectionOptions> = {}): Promise<HttpClient> {
  const connections = await createConnections({
    insecure: false,
    maxSocketsPerHost: 4,
    environment: {},
    certificateFolders: [],
    ...options,
  });
  return createHttpClient({ userAgent: 'test', connections, retryPolicy: QUICK_RETRIES });
}

/** A server with TLS on loopback; answers with the common name of the client's certificate. */
async function startTlsServer(
  t: TestContext,
  pair: KeyPair,
  options: ServerOptions & { readonly handle?: RequestListener } = {},
): Promise<{ host: string; connections: () => number }> {
  const files = { cert: readFileSync(pair.certificate), key: readFileSync(pair.key) };
  let count = 0;
  const server = createServer({ ...files, ...options }, (request, response) => {
    if (options.handle !== undefined) options.handle(request, response);
    else response.end(peerName(request));
  });
  server.on('secureConnection', () => {
    count += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { host: `127.0.0.1:${String((server.address() as AddressInfo).port)}`, connections: () => count };
}

/** Common name of the client's certificate. */
function peerName({ socket }: IncomingMessage): string {
  const certificate: { subject?: { CN?: string | string[] } } =
    socket instanceof TLSSocket ? socket.getPeerCertificate() : {};
  return String(certificate.subject?.CN ?? 'nobody');
}

async function createFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'dt-tls-'));
  t.after(async () => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function get(client: HttpClient, host: string): Promise<string> {
  return (await client.send({ method: 'GET', url: new URL(`https://${host}/`) })).body.toString();
}

test('an authority that nobody knows is not trusted, and the hints say what to do', async (t) => {
  const authority = await createTestAuthority(t);
  const { host } = await startTlsServer(t, await authority.issue('127.0.0.1'));
  await assert.rejects(
    get(await createClient(), host),
    (error) =>
      isDtError(error, 'DT_REGISTRY_UNREACHABLE') &&
      !error.isTransient &&
      error.hints.some((hint) => hint.includes('--ca-file')) &&
      error.hints.some((hint) => hint.includes(`--insecure=${host}`)),
  );
});

test('--ca-file adds an authority; a second file leaves the first', async (t) => {
  const [first, second] = [await createTestAuthority(t), await createTestAuthority(t)];
  const client = await createClient({ caFiles: [first.certificate, second.certificate] });
  for (const authority of [first, second]) {
    const { host } = await startTlsServer(t, await authority.issue('127.0.0.1'));
    assert.equal(await get(client, host), 'nobody');
  }
});

test('a trusted certificate of another host is refused', async (t) => {
  const authority = await createTestAuthority(t);
  const { host } = await startTlsServer(t, await authority.issue('registry.example', '127.0.0.2'));
  await assert.rejects(
    get(await createClient({ caFiles: [authority.certificate] }), host),
    (error) =>
      isDtError(error, 'DT_REGISTRY_UNREACHABLE') &&
      error.message.includes('registry.example') &&
      error.message.includes('127.0.0.2') &&
      error.hints.length === 1 &&
      error.hints.every((hint) => hint.includes(`--insecure=${host}`)),
  );
});

test('a server certificate itself may be named as trusted', async (t) => {
  const authority = await createTestAuthority(t);
  const pair = await authority.issue('127.0.0.1');
  const { host } = await startTlsServer(t, pair);
  assert.equal(await get(await createClient({ caFiles: [pair.certificate] }), host), 'nobody');
});

test('bad files with certificates fail before there is a client', async (t) => {
  const folder = await createFolder(t);
  await writeFile(join(folder, 'bad.pem'), 'no certificate');
  await assert.rejects(createClient({ caFiles: [join(folder, 'bad.pem')] }), { code: 'DT_CONFIG_INVALID' });
  await assert.rejects(createClient({ caFiles: [folder] }), { code: 'DT_CONFIG_INVALID' });
  await assert.rejects(createClient({ caFiles: [join(folder, 'absent')] }), { code: 'DT_FILE_NOT_FOUND' });
});

test('the folder of a host adds an authority for that host only', async (t) => {
  const authority = await createTestAuthority(t);
  const pair = await authority.issue('127.0.0.1');
  const [named, other] = [await startTlsServer(t, pair), await startTlsServer(t, pair)];
  const folder = await createFolder(t);
  await mkdir(join(folder, named.host));
  await copyFile(authority.certificate, join(folder, named.host, 'ca.crt'));
  const client = await createClient({ certificateFolders: [folder] });
  assert.equal(await get(client, named.host), 'nobody');
  await assert.rejects(get(client, other.host), UNTRUSTED);
});

test('a client certificate goes to the host of its folder, and not along a redirect', async (t) => {
  const authority = await createTestAuthority(t);
  const pair = await authority.issue('127.0.0.1');
  const asking = { requestCert: true, rejectUnauthorized: false };
  const other = await startTlsServer(t, pair, asking);
  const named = await startTlsServer(t, pair, {
    ...asking,
    handle: (request, response) => {
      if (request.url === '/') response.end(peerName(request));
      else response.writeHead(307, { location: `https://${other.host}/` }).end();
    },
  });
  const folder = await createFolder(t);
  const client = await authority.issue('the-client');
  await mkdir(join(folder, named.host));
  await copyFile(client.certificate, join(folder, named.host, 'client.cert'));
  await copyFile(client.key, join(folder, named.host, 'client.key'));
  const http = await createClient({ caFiles: [authority.certificate], certificateFolders: [folder] });
  assert.equal(await get(http, named.host), 'the-client');
  const url = new URL(`https://${named.host}/redirect`);
  assert.equal((await http.send({ method: 'GET', url })).body.toString(), 'nobody');
});

test('--insecure=HOST accepts any certificate of that host, but not of the host that it redirects to', async (t) => {
  const authority = await createTestAuthority(t);
  const pair = await authority.issue('registry.example');
  const other = await startTlsServer(t, pair);
  const named = await startTlsServer(t, pair, {
    handle: (request, response) => {
      if (request.url === '/') response.end('here');
      else response.writeHead(307, { location: `https://${other.host}/` }).end();
    },
  });
  const http = await createClient({ insecure: [named.host] });
  assert.equal(await get(http, named.host), 'here');
  await assert.rejects(get(http, other.host), UNTRUSTED);
  await assert.rejects(
    http.send({ method: 'GET', url: new URL(`https://${named.host}/redirect`) }),
    (error) => isDtError(error, 'DT_REGISTRY_UNREACHABLE') && error.message.includes(other.host),
  );
  assert.equal(await get(await createClient({ insecure: true }), other.host), 'nobody');
});

test('connections are kept alive and bounded', async (t) => {
  const authority = await createTestAuthority(t);
  const server = await startTlsServer(t, await authority.issue('127.0.0.1'));
  const client = await createClient({ caFiles: [authority.certificate] });
  for (let round = 0; round < 3; round += 1) {
    await Promise.all(Array.from({ length: 10 }, async () => get(client, server.host)));
  }
  assert.ok(server.connections() <= 4, `${String(server.connections())} connections`);
});

test('a plain HTTP server that is asked with TLS: the hint names the flag', async (t) => {
  const server = await startScriptedServer((_, response) => {
    response.end();
  });
  t.after(async () => server.close());
  await assert.rejects(
    get(await createClient(), server.host),
    (error) =>
      isDtError(error, 'DT_REGISTRY_UNREACHABLE') &&
      error.hints.some((hint) => hint.includes(`--use-plain-http=${server.host}`)),
  );
});

test('a real nginx that wants a client certificate', async (t) => {
  if (requireTool(t, 'nginx') === undefined) return;
  const authority = await createTestAuthority(t);
  const upstream = await startScriptedServer((_, response) => {
    response.end('upstream');
  });
  t.after(async () => upstream.close());
  const tls = await authority.issue('127.0.0.1');
  const nginx = await startNginx({ upstream: upstream.host, tls, clientCa: authority.certificate });
  t.after(async () => nginx.close());
  const caFiles = [authority.certificate];
  const refused = await (
    await createClient({ caFiles })
  ).send({ method: 'GET', url: new URL(`https://${nginx.host}/`) });
  assert.equal(refused.status, 400);
  assert.equal(upstream.requests.length, 0);
  const folder = await createFolder(t);
  const client = await authority.issue('the-client');
  await mkdir(join(folder, nginx.host));
  await copyFile(client.certificate, join(folder, nginx.host, 'client.cert'));
  await copyFile(client.key, join(folder, nginx.host, 'client.key'));
  assert.equal(await get(await createClient({ caFiles, certificateFolders: [folder] }), nginx.host), 'upstream');
});
