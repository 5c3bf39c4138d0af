import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { createHttpClient } from '../../../src/transport/http.ts';

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
const client = createHttpClient({ userAgent: 'test', isInsecure: false });
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
  await assert.rejects(client.send({ method: 'PUT', url, headers: { 'content-length': '7' }, body }));
  assert.equal(body.errored, broken);
  assert.equal(received.length, 0);
});
