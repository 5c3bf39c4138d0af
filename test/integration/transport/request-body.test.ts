import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { createTestHttpClient } from '../../support/http.ts';

interface Received {
  readonly length: string | undefined;
  readonly encoding: string | undefined;
  readonly body: string;
}

const received: Received[] = [];
const server = createServer((request: IncomingMessage, response) => {
  buffer(request).then(
    (body) => {
      const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
      received.push({ length, encoding, body: body.toString() });
      response.end('thanks');
    },
    () => undefined,
  );
});
const client = await createTestHttpClient();
let url: URL;

before(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = new URL(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`);
});
after(() => {
  server.closeAllConnections();
  server.close();
});

test('bytes are sent with their length', async () => {
  const { status, body } = await client.send({ method: 'PUT', url, body: Buffer.from('content') });
  assert.deepEqual([status, body.toString()], [200, 'thanks']);
  assert.deepEqual(received.pop(), { length: '7', encoding: undefined, body: 'content' });
});

test('a stream is sent with the length that its header promises', async () => {
  const body = Readable.from([Buffer.from('con'), Buffer.from('tent')], { objectMode: false });
  await client.send({ method: 'PUT', url, headers: { 'content-length': '7' }, body });
  assert.deepEqual(received.pop(), { length: '7', encoding: undefined, body: 'content' });
});

test('a request without a body ends', async () => {
  await client.send({ method: 'POST', url, headers: { 'content-length': '0' } });
  assert.deepEqual(received.pop(), { length: '0', encoding: undefined, body: '' });
});

test('a stream that fails ends the request and keeps its own error', async () => {
  const broken = new Error('torn');
  const body = new Readable({
    read() {
      this.destroy(broken);
    },
  });
  await assert.rejects(client.send({ method: 'PUT', url, headers: { 'content-length': '7' }, body }), broken);
  assert.equal(body.errored, broken);
  assert.equal(received.length, 0);
});

test('a stream is not blamed for a request that fails', async () => {
  const body = Readable.from([Buffer.alloc(7)], { objectMode: false });
  const dead = new URL('http://127.0.0.1:1/');
  await assert.rejects(client.send({ method: 'PUT', url: dead, headers: { 'content-length': '7' }, body }), {
    code: 'DT_REGISTRY_UNREACHABLE',
  });
});

test('a stream whose request was interrupted before it began fails nobody else', async () => {
  const body = Readable.from([Buffer.alloc(7)], { objectMode: false });
  const request = {
    method: 'PUT',
    url,
    headers: { 'content-length': '7' },
    body,
    signal: AbortSignal.abort(),
  } as const;
  await assert.rejects(client.send(request), { code: 'DT_INTERRUPTED' });
  // An error event that nobody hears would come now, and end the program.
  await setImmediate();
});

test('too many redirects are told in words', async () => {
  const loop = createServer((_, response) => response.writeHead(307, { location: '/' }).end());
  loop.listen(0, '127.0.0.1');
  await once(loop, 'listening');
  const target = new URL(`http://127.0.0.1:${String((loop.address() as AddressInfo).port)}/`);
  await assert.rejects(client.send({ method: 'GET', url: target }), (error: Error) => !/\[object/.test(error.message));
  loop.closeAllConnections();
  loop.close();
});
