import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestOf } from '../../../src/domain/oci/digest.ts';
import { createMemoryBackend } from '../../../src/server/memory-backend.ts';
import type { RegistryBackend } from '../../../src/server/registry-backend.ts';
import { startRegistryServer } from '../../../src/server/start-registry-server.ts';
import { basicAuthorization } from '../../support/images.ts';
import { putBlob, startTestServer, type TestServer } from './backends.ts';

const BYTES = Buffer.from('blob');
const DIGEST = digestOf(BYTES);

/** Sends raw text and returns all that comes back until the server closes the connection. */
async function sendRaw(server: TestServer, text: string): Promise<string> {
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.end(text);
  let answer = '';
  for await (const chunk of socket) answer += (chunk as Buffer).toString('latin1');
  return answer;
}

test('the base endpoint names the API', async (t) => {
  const server = await startTestServer(t, { backend: createMemoryBackend() });
  assert.equal(server.url, `http://${server.host}`);
  for (const path of ['/v2', '/v2/']) {
    const answer = await server.send('GET', path);
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json, {});
    assert.equal(answer.headers.get('docker-distribution-api-version'), 'registry/2.0');
  }
});

test('methods that a path does not have are refused with Allow', async (t) => {
  const server = await startTestServer(t, { backend: createMemoryBackend() });
  const cases: readonly [method: string, path: string, allow: string][] = [
    ['POST', '/v2/', 'GET, HEAD'],
    ['DELETE', '/v2/_catalog', 'GET, HEAD'],
    ['PUT', '/v2/a/tags/list', 'GET, HEAD'],
    ['PUT', `/v2/a/blobs/${DIGEST}`, 'GET, HEAD, DELETE'],
    ['PATCH', '/v2/a/manifests/x', 'GET, HEAD, PUT, DELETE'],
    ['GET', '/v2/a/blobs/uploads/', 'POST'],
  ];
  for (const [method, path, allow] of cases) {
    const answer = await server.send(method, path);
    assert.deepEqual([answer.status, answer.code, answer.headers.get('allow')], [405, 'UNSUPPORTED', allow], path);
  }
});

test('a backend without writer is read-only', async (t) => {
  const full = createMemoryBackend();
  const writable = await startTestServer(t, { backend: full });
  await putBlob(writable, 'a', DIGEST, BYTES);
  const server = await startTestServer(t, { backend: { ...full, writer: undefined } });
  assert.equal((await server.send('GET', `/v2/a/blobs/${DIGEST}`)).status, 200);
  const writes: readonly [method: string, path: string][] = [
    ['POST', '/v2/a/blobs/uploads/'],
    ['PATCH', '/v2/a/blobs/uploads/0b0f0a52-0000-4000-8000-0123456789ab'],
    ['PUT', '/v2/a/manifests/x'],
    ['DELETE', '/v2/a/manifests/x'],
    ['DELETE', `/v2/a/blobs/${DIGEST}`],
  ];
  for (const [method, path] of writes) {
    const answer = await server.send(method, path);
    assert.deepEqual([answer.status, answer.code], [405, 'UNSUPPORTED'], `${method} ${path}`);
  }
});

test('with authentication every request needs the right credentials', async (t) => {
  const server = await startTestServer(t, {
    backend: createMemoryBackend(),
    auth: (username, password) => Promise.resolve(username === 'jo' && password === 'a:b'),
  });
  const good = basicAuthorization({ username: 'jo', password: 'a:b' });
  const bad = [
    undefined,
    'Basic',
    'Basic !',
    'Bearer x',
    basicAuthorization({ username: 'jo', password: 'a' }),
    'Basic am8=',
  ];
  for (const authorization of bad) {
    for (const [method, path] of [
      ['GET', '/v2/'],
      ['POST', '/v2/a/blobs/uploads/'],
      ['GET', '/nowhere'],
    ] as const) {
      const answer = await server.send(method, path, undefined, authorization === undefined ? {} : { authorization });
      assert.deepEqual([answer.status, answer.code], [401, 'UNAUTHORIZED']);
      assert.match(answer.headers.get('www-authenticate') ?? '', /^Basic realm="/);
    }
  }
  assert.equal((await server.send('GET', '/v2/', undefined, { authorization: good })).status, 200);
});

test('onRequest hears every answer', async (t) => {
  const seen: string[] = [];
  const server = await startTestServer(t, {
    backend: createMemoryBackend(),
    onRequest: (method, path, status) => seen.push(`${method} ${path} ${String(status)}`),
  });
  await putBlob(server, 'a', DIGEST, BYTES);
  await server.send('GET', `/v2/a/blobs/${DIGEST}`);
  await server.send('GET', '/v2/a/tags/list?n=1');
  assert.deepEqual(seen, [
    `POST /v2/a/blobs/uploads/?digest=${DIGEST} 201`,
    `GET /v2/a/blobs/${DIGEST} 200`,
    'GET /v2/a/tags/list?n=1 404',
  ]);
});

test('a backend that fails is a 500 that tells nothing, and a cut connection once bytes are out', async (t) => {
  const secret = new Error('/secret/path is broken');
  const broken: RegistryBackend = {
    ...createMemoryBackend(),
    listTags: () => Promise.reject(secret),
    statBlob: () => Promise.resolve(1000),
    openBlob: () =>
      Promise.resolve(
        Readable.from(
          (async function* () {
            yield BYTES;
            await sleep(20);
            throw secret;
          })(),
        ),
      ),
  };
  const server = await startTestServer(t, { backend: broken });
  const answer = await server.send('GET', '/v2/a/tags/list');
  assert.deepEqual([answer.status, answer.code], [500, 'UNKNOWN']);
  assert.ok(!answer.body.includes('secret'));
  await assert.rejects(server.send('GET', `/v2/a/blobs/${DIGEST}`));
  // The client may hear of the cut connection first.
  await sleep(50);
  assert.deepEqual(server.errors, [secret, secret]);
  assert.equal((await server.send('GET', '/v2/')).status, 200);
});

test('hostile requests get a 4xx and the server lives on', async (t) => {
  const server = await startTestServer(t, { backend: createMemoryBackend() });
  const head = 'Host: x\r\nConnection: close\r\n';
  const cases: readonly [request: string, status: number][] = [
    ['garbage\r\n\r\n', 400],
    [`GET /v2/../../etc/passwd HTTP/1.1\r\n${head}\r\n`, 404],
    [`GET /v2/a/../../blobs/${DIGEST} HTTP/1.1\r\n${head}\r\n`, 400],
    [`GET /v2/a/%2e%2e/%2e%2e/manifests/x HTTP/1.1\r\n${head}\r\n`, 400],
    [`GET /v2/a/manifests/..%2f..%2fx HTTP/1.1\r\n${head}\r\n`, 404],
    [`GET /v2/a%0d%0aX-Y:z/tags/list HTTP/1.1\r\n${head}\r\n`, 400],
    [`GET http://other/v2/ HTTP/1.1\r\n${head}\r\n`, 404],
    [`GET /v2/ HTTP/1.1\r\n${head}X: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    [`POST /v2/a/blobs/uploads/ HTTP/1.1\r\n${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n`, 400],
    [`PUT /v2/a/manifests/x HTTP/1.1\r\n${head}Content-Length: 99999999999\r\n\r\n`, 413],
  ];
  for (const [text, status] of cases) {
    const answer = await sendRaw(server, text);
    assert.match(answer, new RegExp(`^HTTP/1.1 ${String(status)} `), text.slice(0, 80));
  }
  assert.equal((await server.send('GET', '/v2/')).status, 200);
  assert.deepEqual(server.errors, []);
});

test('an answer before the end of the body reaches the client, on a connection that stays', async (t) => {
  const server = await startTestServer(t, { backend: createMemoryBackend() });
  const answer = await server.send('PUT', '/v2/a/manifests/x', Buffer.alloc(20 * 1024 * 1024));
  assert.deepEqual([answer.status, answer.code], [413, 'SIZE_INVALID']);
  assert.equal((await server.send('GET', '/v2/')).status, 200);
});

test('a connection stays usable after an answer that came before the end of a body of unknown length', async (t) => {
  const server = await startTestServer(t, { backend: createMemoryBackend() });
  const chunk = `100000\r\n${'x'.repeat(0x100000)}\r\n`;
  const answer = await sendRaw(
    server,
    `PUT /v2/a/manifests/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunk.repeat(20)}0\r\n\r\n` +
      'GET /v2/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n',
  );
  assert.deepEqual(answer.match(/^HTTP\/1\.1 \d+|(?<=})HTTP\/1\.1 \d+/gm), ['HTTP/1.1 413', 'HTTP/1.1 200']);
});

test('a body that nobody wants and that does not end costs the client its connection', async (t) => {
  const server = await startTestServer(t, { backend: createMemoryBackend() });
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.on('error', () => undefined);
  socket.resume();
  socket.write('PUT /v2/a/manifests/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
  const chunk = `100000\r\n${'x'.repeat(0x100000)}\r\n`;
  let sentMib = 0;
  while (!socket.destroyed && sentMib < 200) {
    await new Promise((resolve) => socket.write(chunk, resolve));
    sentMib += 1;
  }
  assert.ok(sentMib < 150, `the server read ${String(sentMib)} MiB`);
  assert.equal((await server.send('GET', '/v2/')).status, 200);
});

test('close ends idle and stuck connections, and may be called twice', async () => {
  const server = await startRegistryServer({ backend: createMemoryBackend() });
  await (await fetch(`${server.url}/v2/`)).arrayBuffer();
  const stuck = connect(server.port, '127.0.0.1');
  await once(stuck, 'connect');
  stuck.on('error', () => undefined);
  stuck.write('PATCH /v2/a/blobs/uploads/ HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n');
  await Promise.all([server.close(), server.close()]);
  await server.close();
  await assert.rejects(fetch(`${server.url}/v2/`));
});

test('a port that is taken is an error', async (t) => {
  const server = await startTestServer(t, { backend: createMemoryBackend() });
  await assert.rejects(startRegistryServer({ backend: createMemoryBackend(), port: server.port }), {
    code: 'EADDRINUSE',
  });
});
