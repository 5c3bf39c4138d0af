import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { digestOf, parseDigest } from '../../../src/domain/oci/digest.ts';
import { randomBytesOf } from '../../support/images.ts';
import { beginUpload, describeBackends, putBlob } from './backends.ts';

const BYTES = randomBytesOf('blob', 3 * 1024 * 1024 + 17);
const DIGEST = digestOf(BYTES);
const BLOB = `/v2/team/app/blobs/${DIGEST}`;

describeBackends('blobs', (start) => {
  test('a blob put with one POST comes back whole', async (t) => {
    const server = await start(t);
    const put = await server.send('POST', `/v2/team/app/blobs/uploads/?digest=${DIGEST}`, BYTES);
    assert.equal(put.status, 201);
    assert.equal(put.headers.get('location'), BLOB);
    assert.equal(put.headers.get('docker-content-digest'), DIGEST);

    const head = await server.send('HEAD', BLOB);
    assert.equal(head.status, 200);
    assert.equal(head.headers.get('content-length'), String(BYTES.length));
    assert.equal(head.headers.get('docker-content-digest'), DIGEST);

    const get = await server.send('GET', BLOB);
    assert.equal(get.status, 200);
    assert.equal(get.headers.get('content-length'), String(BYTES.length));
    assert.equal(get.headers.get('accept-ranges'), 'bytes');
    assert.ok(get.body.equals(BYTES));
  });

  test('a part of a blob is sent with 206, also across the pieces it is stored in', async (t) => {
    const server = await start(t);
    await putBlob(server, 'team/app', DIGEST, BYTES);
    const size = BYTES.length;
    const ranges: readonly [string, number, number][] = [
      ['bytes=0-0', 0, 0],
      ['bytes=1000000-2500000', 1_000_000, 2_500_000],
      ['bytes=65535-65536', 65_535, 65_536],
      [`bytes=${String(size - 1)}-`, size - 1, size - 1],
      ['bytes=-17', size - 17, size - 1],
    ];
    for (const [range, first, last] of ranges) {
      const part = await server.send('GET', BLOB, undefined, { Range: range });
      assert.equal(part.status, 206, range);
      assert.equal(part.headers.get('content-range'), `bytes ${String(first)}-${String(last)}/${String(size)}`);
      assert.ok(part.body.equals(BYTES.subarray(first, last + 1)), range);
    }
    const beyond = await server.send('GET', BLOB, undefined, { Range: `bytes=${String(size)}-` });
    assert.equal(beyond.status, 416);
    assert.equal(beyond.headers.get('content-range'), `bytes */${String(size)}`);
    const other = await server.send('GET', BLOB, undefined, { Range: 'bytes=0-1', 'If-Range': '"else"' });
    assert.equal(other.status, 200);
  });

  test('a blob belongs to its repository only', async (t) => {
    const server = await start(t);
    await putBlob(server, 'team/app', DIGEST, BYTES);
    for (const method of ['GET', 'HEAD', 'DELETE']) {
      const answer = await server.send(method, `/v2/team/other/blobs/${DIGEST}`);
      assert.equal(answer.status, 404, method);
      if (method !== 'HEAD') assert.equal(answer.code, 'BLOB_UNKNOWN');
    }
  });

  test('a mount takes a blob from another repository, or becomes an upload', async (t) => {
    const server = await start(t);
    await putBlob(server, 'team/app', DIGEST, BYTES);
    const mounted = await server.send('POST', `/v2/b/blobs/uploads/?mount=${DIGEST}&from=team%2Fapp`);
    assert.equal(mounted.status, 201);
    assert.equal(mounted.headers.get('location'), `/v2/b/blobs/${DIGEST}`);
    assert.ok((await server.send('GET', `/v2/b/blobs/${DIGEST}`)).body.equals(BYTES));

    const anywhere = await server.send('POST', `/v2/c/blobs/uploads/?mount=${DIGEST}`);
    assert.equal(anywhere.status, 201);

    const absent = digestOf('absent');
    for (const query of [
      `mount=${absent}&from=team/app`,
      `mount=${DIGEST}&from=nowhere`,
      `mount=${DIGEST}&from=../app`,
      `mount=${absent}`,
      'mount=x',
    ]) {
      const fallback = await server.send('POST', `/v2/d/blobs/uploads/?${query}`);
      assert.equal(fallback.status, 202, query);
      assert.match(fallback.headers.get('location') ?? '', /^\/v2\/d\/blobs\/uploads\/[0-9a-f-]{36}$/);
    }
  });

  test('a deleted blob is gone from its repository and stays in the others', async (t) => {
    const server = await start(t);
    await putBlob(server, 'a', DIGEST, BYTES);
    await putBlob(server, 'b', DIGEST, BYTES);
    assert.equal((await server.send('DELETE', `/v2/a/blobs/${DIGEST}`)).status, 202);
    assert.equal((await server.send('GET', `/v2/a/blobs/${DIGEST}`)).status, 404);
    assert.equal((await server.send('DELETE', `/v2/a/blobs/${DIGEST}`)).status, 404);
    assert.equal((await server.send('GET', `/v2/b/blobs/${DIGEST}`)).status, 200);
  });

  test('an empty blob and a sha512 digest work', async (t) => {
    const server = await start(t);
    const empty = digestOf('');
    assert.equal(await putBlob(server, 'a', empty, Buffer.alloc(0)), 201);
    const got = await server.send('GET', `/v2/a/blobs/${empty}`);
    assert.equal(got.status, 200);
    assert.equal(got.body.length, 0);

    const sha512 = parseDigest(`sha512:${createHash('sha512').update(BYTES).digest('hex')}`);
    assert.equal(await putBlob(server, 'a', sha512, BYTES), 201);
    assert.ok((await server.send('GET', `/v2/a/blobs/${sha512}`)).body.equals(BYTES));
    const wrong = parseDigest(`sha512:${'0'.repeat(128)}`);
    const refused = await server.send('POST', `/v2/a/blobs/uploads/?digest=${wrong}`, BYTES);
    assert.equal(refused.code, 'DIGEST_INVALID');
  });

  test('bytes with another digest are refused and stored under neither', async (t) => {
    const server = await start(t);
    const wrong = digestOf('something else');
    const post = await server.send('POST', `/v2/a/blobs/uploads/?digest=${wrong}`, BYTES);
    assert.deepEqual([post.status, post.code], [400, 'DIGEST_INVALID']);
    const path = await beginUpload(server, 'a');
    const put = await server.send('PUT', `${path}?digest=${wrong}`, BYTES);
    assert.deepEqual([put.status, put.code], [400, 'DIGEST_INVALID']);
    assert.equal((await server.send('GET', path)).status, 404);
    for (const digest of [wrong, DIGEST]) {
      assert.equal((await server.send('HEAD', `/v2/a/blobs/${digest}`)).status, 404);
    }
  });
});
