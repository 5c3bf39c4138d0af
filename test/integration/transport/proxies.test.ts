import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import { isDtError, type DtError } from '../../../src/domain/errors.ts';
import { createConnections, type ConnectionOptions } from '../../../src/transport/connections/connections.ts';
import { createHttpClient, type HttpClient } from '../../../src/transport/http/http-client.ts';
import { catchError } from '../../support/assert-refused.ts';
import { createTestAuthority, type KeyPair, type TestAuthority } from '../../support/certificates.ts';
import { PROXY_CREDENTIALS, startForwardProxy } from '../../support/forward-proxy.ts';
import { QUICK_RETRIES } from '../../support/http.ts';
import { requireMachineAddress } from '../../support/machine-address.ts';
import { requireTool } from '../../support/tools.ts';

type Variables = Readonly<Record<string, string>>;

async function createClient(environment: Variables, options: Partial<ConnectionOptions> = {}): Promise<HttpClient> {
  const connections = await createConnections({
    insecure: false,
    maxSocketsPerHost: 4,
    environment,
    certificateFolders: [],
    ...options,
  });
  return createHttpClient({ userAgent: 'test', connections, retryPolicy: QUICK_RETRIES });
}

async function listen(t: TestContext, server: Server, address = '127.0.0.1'): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  server.listen(0, address);
  await once(server, 'listening');
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `${address}:${String((server.address() as AddressInfo).port)}`;
}

interface Origin {
  readonly authority: TestAuthority;
  readonly httpsHost: string;
  readonly httpHost: string;
  readonly requests: IncomingMessage[];
}

/** A server with and without TLS at an address that does not count as loopback; its certificate is for it or other names. */
async function startOrigin(t: TestContext, address: string, ...names: readonly string[]): Promise<Origin> {
  const authority = await createTestAuthority(t);
  const { certificate, key } = await authority.issue(...(names.length === 0 ? [address] : names));
  const requests: IncomingMessage[] = [];
  const handle = (request: IncomingMessage, response: { end(text: string): void }): void => {
    requests.push(request);
    response.end(`origin ${request.url ?? ''}`);
  };
  const secure = createHttpsServer({ cert: readFileSync(certificate), key: readFileSync(key) }, handle);
  return {
    authority,
    requests,
    httpsHost: await listen(t, secure, address),
    httpHost: await listen(t, createHttpServer(handle), address),
  };
}

/** A proxy that reads the head of a request and then does what the test wants. */
async function startScriptedProxy(
  t: TestContext,
  answer: (socket: Socket, head: string) => void,
  pair?: KeyPair,
): Promise<{ host: string; heads: string[] }> {
  const heads: string[] = [];
  const handle = (socket: Socket): void => {
    socket.on('error', () => undefined);
    socket.once('data', (bytes: Buffer) => {
      heads.push(bytes.toString('latin1'));
      answer(socket, bytes.toString('latin1'));
    });
  };
  const server =
    pair === undefined
      ? createServer(handle)
      : createTlsServer(
          {
            cert: readFileSync(pair.certificate),
            key: readFileSync(pair.key),
            requestCert: true,
            rejectUnauthorized: false,
          },
          handle,
        );
  return { host: await listen(t, server), heads };
}

/** What an honest proxy does with a CONNECT. */
function tunnel(socket: Socket, head: string): void {
  const [, host, port] = /^CONNECT (.+):(\d+) /.exec(head) ?? [];
  const upstream = connect(Number(port), host ?? '');
  upstream.on('error', () => socket.destroy());
  socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
  socket.pipe(upstream).pipe(socket);
}

async function get(client: HttpClient, url: string): Promise<string> {
  return (await client.send({ method: 'GET', url: new URL(url), isSingleTry: true })).body.toString();
}

async function failureOf(client: HttpClient, url: string): Promise<DtError> {
  const error = await catchError(get(client, url));
  assert.ok(isDtError(error), String(error));
  return error;
}

test('a real proxy: https through CONNECT, http with the whole URL, and no_proxy direct', async (t) => {
  const address = requireMachineAddress(t);
  if (address === undefined || requireTool(t, 'tinyproxy') === undefined) return;
  const origin = await startOrigin(t, address);
  const proxy = await startForwardProxy();
  t.after(async () => proxy.close());
  const variables = { HTTPS_PROXY: `http://${proxy.host}`, HTTP_PROXY: `http://${proxy.host}` };
  const caFiles = [origin.authority.certificate];
  const client = await createClient(variables, { caFiles });
  assert.equal(await get(client, `https://${origin.httpsHost}/a`), 'origin /a');
  assert.equal(await get(client, `http://${origin.httpHost}/b`), 'origin /b');
  const requests = [`CONNECT ${origin.httpsHost}`, `GET http://${origin.httpHost}/b`];
  assert.deepEqual(await proxy.readRequests(), requests);
  for (const noProxy of [address, `${address}/24`, origin.httpsHost, '*']) {
    assert.equal(
      await get(await createClient({ ...variables, NO_PROXY: noProxy }, { caFiles }), `https://${origin.httpsHost}/c`),
      'origin /c',
    );
  }
  assert.deepEqual(await proxy.readRequests(), requests);
});

test('twenty requests need no more tunnels than sockets that are allowed', async (t) => {
  const address = requireMachineAddress(t);
  if (address === undefined || requireTool(t, 'tinyproxy') === undefined) return;
  const origin = await startOrigin(t, address);
  const proxy = await startForwardProxy();
  t.after(async () => proxy.close());
  const client = await createClient({ https_proxy: proxy.host }, { caFiles: [origin.authority.certificate] });
  for (let request = 0; request < 20; request += 1) await get(client, `https://${origin.httpsHost}/`);
  assert.equal((await proxy.readRequests()).length, 1);
  await Promise.all(Array.from({ length: 20 }, async () => get(client, `https://${origin.httpsHost}/`)));
  assert.ok((await proxy.readRequests()).length <= 4);
  assert.equal(origin.requests.length, 40);
});

test('a real proxy that wants credentials', async (t) => {
  const address = requireMachineAddress(t);
  if (address === undefined || requireTool(t, 'tinyproxy') === undefined) return;
  const origin = await startOrigin(t, address);
  const proxy = await startForwardProxy({ auth: true });
  t.after(async () => proxy.close());
  const { username, password } = PROXY_CREDENTIALS;
  const options = { caFiles: [origin.authority.certificate] };
  const urls = [`https://${origin.httpsHost}/`, `http://${origin.httpHost}/`];
  for (const url of urls) {
    assert.equal(
      await get(await createClient({ all_proxy: `http://${username}:${password}@${proxy.host}` }, options), url),
      'origin /',
    );
  }
  for (const request of origin.requests) assert.equal(request.headers['proxy-authorization'], undefined);
  const passed = origin.requests.length;
  // Wrong credentials for an http target are not among them: tinyproxy answers 401, as the target itself might.
  for (const [userinfo, url = ''] of [
    ['', urls[0]],
    ['', urls[1]],
    [`${username}:planted-wrong@`, urls[0]],
  ]) {
    const error = await failureOf(await createClient({ all_proxy: `http://${userinfo}${proxy.host}` }, options), url);
    assert.equal(error.code, 'DT_REGISTRY_UNREACHABLE');
    assert.match(error.message, /proxy.*\(40[17]\)/);
    assert.equal(error.isTransient, false);
    assert.ok(!JSON.stringify([error.message, error.detail, error.hints]).includes('planted'));
  }
  assert.equal(origin.requests.length, passed);
});

for (const [status, isTransient] of [
  [401, false],
  [403, false],
  [407, false],
  [302, false],
  [502, true],
  [503, true],
  [504, true],
] as const) {
  test(`a proxy that answers CONNECT with ${String(status)} is not taken for the registry`, async (t) => {
    const challenge = 'WWW-Authenticate: Basic realm="x"\r\nLocation: https://evil.example/\r\n';
    const proxy = await startScriptedProxy(t, (socket) => {
      socket.end(`HTTP/1.1 ${String(status)} No\r\n${challenge}Content-Length: 4\r\n\r\nbody`);
    });
    const client = await createClient({ https_proxy: `http://user:planted@${proxy.host}` });
    const error = await failureOf(client, 'https://registry.example/v2/');
    assert.equal(error.code, 'DT_REGISTRY_UNREACHABLE');
    assert.equal(error.isTransient, isTransient);
    assert.match(error.message, new RegExp(`registry\\.example.*${proxy.host}.*\\(${String(status)}\\)`));
    assert.ok(!error.message.includes('planted'));
    assert.equal(proxy.heads.length, 1);
  });
}

test(
  'requests that wait for a socket fail, too, when the proxy refuses every tunnel',
  { timeout: 20_000 },
  async (t) => {
    const proxy = await startScriptedProxy(t, (socket) => {
      socket.end('HTTP/1.1 403 No\r\n\r\n');
    });
    const client = await createClient({ https_proxy: proxy.host }, { maxSocketsPerHost: 2 });
    const errors = await Promise.all(
      Array.from({ length: 12 }, async () => failureOf(client, 'https://registry.example/')),
    );
    assert.deepEqual(new Set(errors.map(({ code }) => code)), new Set(['DT_REGISTRY_UNREACHABLE']));
  },
);

for (const [behaviour, answer] of [
  ['never answers', (): void => undefined],
  ['never ends its answer', (socket: Socket): void => void socket.write('HTTP/1.1 200 OK\r\n')],
  ['cuts the connection', (socket: Socket): void => void socket.destroy()],
  ['speaks something else', (socket: Socket): void => void socket.end('SSH-2.0-x\r\n\r\n\r\n')],
] as const) {
  test(`a proxy that ${behaviour} is given up`, { timeout: 20_000 }, async (t) => {
    const proxy = await startScriptedProxy(t, answer);
    const client = await createClient({ https_proxy: proxy.host }, { proxyTimeoutMs: 200 });
    const error = await failureOf(client, 'https://registry.example/');
    assert.equal(error.code, 'DT_REGISTRY_UNREACHABLE');
    assert.ok(error.message.includes(proxy.host), error.message);
  });
}

test('a proxy that is not there is named, for https and http', async () => {
  const client = await createClient({ all_proxy: 'http://user:planted@127.0.0.1:1' });
  for (const scheme of ['https', 'http']) {
    const error = await failureOf(client, `${scheme}://registry.example/`);
    assert.equal(error.code, 'DT_REGISTRY_UNREACHABLE');
    assert.match(error.message, /127\.0\.0\.1:1.*proxy.*registry\.example/);
    assert.equal(error.isTransient, true);
    assert.ok(!error.message.includes('planted'));
  }
});

test('the certificate behind a tunnel must be that of the target, not of the proxy or localhost', async (t) => {
  const address = requireMachineAddress(t);
  if (address === undefined) return;
  const origin = await startOrigin(t, address, 'localhost', '127.0.0.1');
  const proxy = await startScriptedProxy(t, tunnel);
  const port = proxy.host.split(':')[1] ?? '';
  for (const name of ['localhost', '127.0.0.1']) {
    const client = await createClient(
      { https_proxy: `http://${name}:${port}` },
      { caFiles: [origin.authority.certificate] },
    );
    const error = await failureOf(client, `https://${origin.httpsHost}/`);
    assert.match(error.message, /for another host/);
  }
  assert.equal(origin.requests.length, 0);
});

test('an https proxy is verified by itself, and sees no client certificate of the target', async (t) => {
  const address = requireMachineAddress(t);
  if (address === undefined) return;
  const origin = await startOrigin(t, address);
  const proxyAuthority = await createTestAuthority(t);
  const proxy = await startScriptedProxy(t, tunnel, await proxyAuthority.issue('127.0.0.1'));
  const variables = { https_proxy: `https://${proxy.host}` };
  const both = [origin.authority.certificate, proxyAuthority.certificate];
  assert.equal(await get(await createClient(variables, { caFiles: both }), `https://${origin.httpsHost}/`), 'origin /');
  const insecureTarget = { caFiles: [origin.authority.certificate], insecure: [origin.httpsHost] };
  const error = await failureOf(await createClient(variables, insecureTarget), `https://${origin.httpsHost}/`);
  assert.ok(error.message.includes(proxy.host), error.message);
  assert.equal(proxy.heads.length, 1);
  const insecureProxy = { caFiles: [proxyAuthority.certificate], insecure: [proxy.host] };
  await failureOf(await createClient(variables, insecureProxy), `https://${origin.httpsHost}/`);
  assert.equal(origin.requests.length, 1);
});

test('every hop of a redirect decides anew', async (t) => {
  const address = requireMachineAddress(t);
  if (address === undefined) return;
  const origin = await startOrigin(t, address);
  const direct = await listen(
    t,
    createHttpServer((_, response) => {
      response.writeHead(307, { location: `https://${origin.httpsHost}/far` }).end();
    }),
  );
  const proxy = await startScriptedProxy(t, tunnel);
  const client = await createClient({ all_proxy: proxy.host }, { caFiles: [origin.authority.certificate] });
  assert.equal(await get(client, `http://${direct}/near`), 'origin /far');
  assert.equal(proxy.heads.length, 1);
  assert.match(proxy.heads[0] ?? '', new RegExp(`^CONNECT ${origin.httpsHost} `));
});
