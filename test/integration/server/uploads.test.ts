import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { digestOf } from '../../../src/domain/oci/digest.ts';
import { MAX_OPEN_UPLOADS } from '../../../src/server/limits.ts';
import { randomBytesOf } from '../../support/images.ts';
import { beginUpload, describeBackends, type TestServer } from './backends.ts';

const BYTES = randomBytesOf('upload', 300_000);
const DIGEST = digestOf(BYTES);

async function sendChunk(server: TestServer, path: string, start: number, end: number) {
  const headers = {
    'Content-Range': `${String(start)}-${String(end - 1)}`,
    'Content-Type': 'application/octet-stream',
  };
  return server.send('PATCH', path, BYTES.subarray(start, end), headers);
}

/** Sends the head of a request that announces more than it delivers, then cuts the connection. */
async function sendTornRequest(server: TestServer, method: string, path: string, body: Uint8Array): Promise<void> {
  const socket = connect(server.port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(`${method} ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: ${String(body.length * 2)}\r\n\r\n`);
  socket.write(body);
  await sleep(150);
  socket.destroy();
  await sleep(150);
}

describeBackends('uploads', (start) => {
  test('POST opens an upload, PUT with the whole body closes it', async (t) => {
    const server = await start(t);
    const opened = await server.send('POST', '/v2/a/b/blobs/uploads/');
    assert.equal(opened.status, 202);
    assert.equal(opened.headers.get('range'), '0-0');
    const path = opened.headers.get('location') ?? '';
    assert.match(path, /^\/v2\/a\/b\/blobs\/uploads\//);
    const put = await server.send('PUT', `${path}?digest=${DIGEST}`, BYTES);
    assert.equal(put.status, 201);
    assert.equal(put.headers.get('location'), `/v2/a/b/blobs/${DIGEST}`);
    assert.equal((await server.send('GET', path)).status, 404);
    assert.ok((await server.send('GET', `/v2/a/b/blobs/${DIGEST}`)).body.equals(BYTES));
  });

  test('chunks in order make a blob; the last one may come with the PUT', async (t) => {
    const server = await start(t);
    const path = await beginUpload(server, 'a');
    const first = await sendChunk(server, path, 0, 100_000);
    assert.deepEqual([first.status, first.headers.get('range')], [202, '0-99999']);
    const second = await sendChunk(server, path, 100_000, 200_001);
    assert.deepEqual([second.status, second.headers.get('range')], [202, '0-200000']);
    const status = await server.send('GET', path);
    assert.deepEqual([status.status, status.headers.get('range')], [204, '0-200000']);
    assert.equal(status.headers.get('location'), path);
    const headers = { 'Content-Range': '200001-299999' };
    const last = await server.send('PUT', `${path}?digest=${DIGEST}`, BYTES.subarray(200_001), headers);
    assert.equal(last.status, 201);
    assert.ok((await server.send('GET', `/v2/a/blobs/${DIGEST}`)).body.equals(BYTES));
  });

  test('a streamed PATCH without Content-Range and an empty PUT make a blob', async (t) => {
    const server = await start(t);
    const path = await beginUpload(server, 'a');
    assert.equal((await server.send('PATCH', path, BYTES)).status, 202);
    assert.equal((await server.send('PUT', `${path}?digest=${DIGEST}`)).status, 201);
    assert.ok((await server.send('GET', `/v2/a/blobs/${DIGEST}`)).body.equals(BYTES));
  });

  test('a chunk out of order is refused with 416 and can be sent again at the right place', async (t) => {
    const server = await start(t);
    const path = await beginUpload(server, 'a');
    for (const range of ['5-9', 'bytes=0-99', '9-0', 'x']) {
      const refused = await server.send('PATCH', path, BYTES.subarray(0, 5), { 'Content-Range': range });
      assert.deepEqual([refused.status, refused.code], [416, 'BLOB_UPLOAD_INVALID'], range);
      assert.equal(refused.headers.get('location'), path);
    }
    await sendChunk(server, path, 0, 100_000);
    for (const [from, to] of [
      [0, 100_000],
      [99_999, 150_000],
      [100_001, 150_000],
    ] as const) {
      const refused = await sendChunk(server, path, from, to);
      assert.equal(refused.status, 416);
      assert.equal(refused.headers.get('range'), '0-99999');
    }
    await sendChunk(server, path, 100_000, 300_000);
    assert.equal((await server.send('PUT', `${path}?digest=${DIGEST}`)).status, 201);
  });

  test('a chunk whose length contradicts its range is refused', async (t) => {
    const server = await start(t);
    const path = await beginUpload(server, 'a');
    const refused = await server.send('PATCH', path, BYTES.subarray(0, 5), { 'Content-Range': '0-9' });
    assert.deepEqual([refused.status, refused.code], [400, 'SIZE_INVALID']);
  });

  test('the last request needs a valid digest', async (t) => {
    const server = await start(t);
    const path = await beginUpload(server, 'a');
    for (const query of ['', '?digest=', '?digest=sha256:x', '?digest=latest']) {
      const refused = await server.send('PUT', `${path}${query}`, BYTES);
      assert.deepEqual([refused.status, refused.code], [400, 'DIGEST_INVALID'], query);
    }
    assert.equal((await server.send('POST', '/v2/a/blobs/uploads/?digest=x')).code, 'DIGEST_INVALID');
  });

  test('a cancelled upload and one of another repository are unknown', async (t) => {
    const server = await start(t);
    const path = await beginUpload(server, 'a');
    const foreign = path.replace('/v2/a/', '/v2/b/');
    assert.equal((await server.send('PATCH', foreign, 'x')).code, 'BLOB_UPLOAD_UNKNOWN');
    assert.equal((await server.send('DELETE', path)).status, 204);
    for (const [method, query] of [
      ['PATCH', ''],
      ['PUT', `?digest=${DIGEST}`],
      ['DELETE', ''],
    ] as const) {
      const answer = await server.send(method, path + query, method === 'DELETE' ? undefined : 'x');
      assert.deepEqual([answer.status, answer.code], [404, 'BLOB_UPLOAD_UNKNOWN'], method);
    }
  });

  test('an upload goes on where a broken connection left it', async (t) => {
    const server = await start(t);
    const path = await beginUpload(server, 'a');
    await sendTornRequest(server, 'PATCH', path, BYTES.subarray(0, 120_000));
    const status = await server.send('GET', path);
    assert.equal(status.headers.get('range'), '0-119999');
    assert.equal((await sendChunk(server, path, 120_000, 300_000)).status, 202);
    assert.equal((await server.send('PUT', `${path}?digest=${DIGEST}`)).status, 201);
    assert.ok((await server.send('GET', `/v2/a/blobs/${DIGEST}`)).body.equals(BYTES));
    assert.deepEqual(server.errors, []);
  });

  test('a torn upload of a whole blob stores nothing', async (t) => {
    const server = await start(t);
    await sendTornRequest(server, 'POST', `/v2/a/blobs/uploads/?digest=${DIGEST}`, BYTES);
    assert.equal((await server.send('HEAD', `/v2/a/blobs/${DIGEST}`)).status, 404);
    assert.deepEqual(server.errors, []);
  });

  test('two requests cannot write to one upload at the same time', async (t) => {
    const server = await start(t);
    const path = await beginUpload(server, 'a');
    const socket = connect(server.port, '127.0.0.1');
    t.after(() => socket.destroy());
    await once(socket, 'connect');
    socket.write(`PATCH ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n12345`);
    await sleep(100);
    const second = await server.send('PATCH', path, 'x');
    assert.deepEqual([second.status, second.code], [409, 'BLOB_UPLOAD_INVALID']);
    socket.write('67890');
    await once(socket, 'data');
    assert.equal((await server.send('GET', path)).headers.get('range'), '0-9');
  });

  test('the number of open uploads is bounded', async (t) => {
    const server = await start(t);
    const path = await beginUpload(server, 'a');
    const opened = Array.from({ length: MAX_OPEN_UPLOADS - 1 }, () => beginUpload(server, 'a'));
    await Promise.all(opened);
    const refused = await server.send('POST', '/v2/a/blobs/uploads/');
    assert.deepEqual([refused.status, refused.code], [429, 'TOOMANYREQUESTS']);
    await server.send('DELETE', path);
    assert.equal((await server.send('POST', '/v2/a/blobs/uploads/')).status, 202);
  });
});
