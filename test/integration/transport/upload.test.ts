import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { test, type TestContext } from 'node:test';
import { verifyBlob } from '../../../src/content/verified-stream.ts';
import type { Descriptor } from '../../../src/domain/oci/descriptor.ts';
import { digestOf } from '../../../src/domain/oci/digest.ts';
import { RegistryClient } from '../../../src/transport/registry-client.ts';
import { uploadBlob } from '../../../src/transport/upload.ts';
import { createTestHttpClient, QUICK_RETRIES } from '../../support/http.ts';

const MEBIBYTE = 1024 * 1024;

interface UploadRules {
  /** The most bytes of one request; more is 413. */
  readonly maxBodyBytes?: number;
  readonly minChunkBytes?: number;
  /** True: the connection is cut after half of the body of the n-th PUT or PATCH with a body (from 1). */
  readonly cutsBody?: (count: number) => boolean;
  /** Status of the n-th PUT or PATCH with a body instead of taking it. */
  readonly refuses?: (count: number) => number | undefined;
  /** The `Retry-After` of such an answer. */
  readonly retryAfter?: string;
  /** Bytes of a broken body are kept, and the session says so. */
  readonly keepsParts?: boolean;
  /** A broken body ends the session. */
  readonly losesSessions?: boolean;
  /** Takes only so many bytes of each PATCH. */
  readonly takesAtMost?: number;
  /** Status of a request to mount. */
  readonly refusesMounts?: number;
  /** The answer to the request that completes the upload is never sent. */
  readonly swallowsFirstCompletion?: boolean;
}

interface UploadRegistry {
  readonly client: RegistryClient;
  /** `METHOD SIZE` of every request that has to do with uploads. */
  readonly log: string[];
  readonly stored: Map<string, Buffer>;
}

/** A registry that takes uploads by the book, but for its rules. */
async function startUploadRegistry(t: TestContext, rules: UploadRules): Promise<UploadRegistry> {
  const sessions = new Map<string, Buffer>();
  const stored = new Map<string, Buffer>();
  const log: string[] = [];
  let bodies = 0;
  let isSwallowed = false;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://registry');
    const length = Number(request.headers['content-length'] ?? 0);
    if (url.pathname === '/v2/') {
      response.end('{}');
      return;
    }
    log.push(`${request.method ?? ''} ${String(length)}`);
    const id = /uploads\/([0-9]+)$/.exec(url.pathname)?.[1];
    if (request.method === 'HEAD') {
      response.writeHead(stored.has(url.pathname.split('/').at(-1) ?? '') ? 200 : 404).end();
      return;
    }
    if (url.searchParams.has('mount') && rules.refusesMounts !== undefined) {
      response.writeHead(rules.refusesMounts).end();
      return;
    }
    if (id === undefined) {
      const next = String(log.length);
      sessions.set(next, Buffer.alloc(0));
      const minimum = rules.minChunkBytes === undefined ? {} : { 'oci-chunk-min-length': String(rules.minChunkBytes) };
      response.writeHead(202, { location: `/v2/a/b/blobs/uploads/${next}`, ...minimum }).end();
      return;
    }
    const known = sessions.get(id);
    if (known === undefined) {
      response.writeHead(404).end();
      return;
    }
    const state = { location: url.pathname, range: `0-${String(Math.max(known.length - 1, 0))}` };
    if (request.method === 'GET') {
      response.writeHead(204, state).end();
      return;
    }
    if (length > 0) bodies++;
    const refusal = length > (rules.maxBodyBytes ?? length) ? 413 : length > 0 ? rules.refuses?.(bodies) : undefined;
    if (refusal !== undefined) {
      const wait = rules.retryAfter === undefined ? {} : { 'retry-after': rules.retryAfter };
      response.writeHead(refusal, { connection: 'close', ...wait }).end();
      return;
    }
    const cutAt = length > 0 && rules.cutsBody?.(bodies) === true ? length / 2 : length + 1;
    const range = /^([0-9]+)-/.exec(request.headers['content-range'] ?? '')?.[1];
    if (range !== undefined && Number(range) !== known.length) {
      response.writeHead(416, state).end();
      return;
    }
    const chunks: Buffer[] = [];
    let seenBytes = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      seenBytes += chunk.length;
      if (seenBytes < cutAt) continue;
      if (rules.keepsParts === true) sessions.set(id, Buffer.concat([known, ...chunks]));
      if (rules.losesSessions === true) sessions.delete(id);
      request.socket.resetAndDestroy();
      return;
    }
    const taken = Buffer.concat([known, ...chunks]).subarray(0, known.length + (rules.takesAtMost ?? length));
    sessions.set(id, taken);
    if (request.method === 'PATCH') {
      response.writeHead(202, { location: url.pathname, range: `0-${String(taken.length - 1)}` }).end();
      return;
    }
    const digest = `sha256:${createHash('sha256').update(taken).digest('hex')}`;
    if (digest !== url.searchParams.get('digest')) {
      response.writeHead(400).end();
      return;
    }
    stored.set(digest, taken);
    sessions.delete(id);
    if (rules.swallowsFirstCompletion === true && !isSwallowed) {
      isSwallowed = true;
      request.socket.resetAndDestroy();
      return;
    }
    response.writeHead(201, { 'docker-content-digest': digest }).end();
  };

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const host = `127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  const client = new RegistryClient(host, {
    http: await createTestHttpClient(),
    credentials: () => Promise.resolve(undefined),
    usePlainHttp: true,
    allowPlainHttp: false,
  });
  return { client, log, stored };
}

interface Blob {
  readonly descriptor: Descriptor;
  readonly bytes: Buffer;
  opened: number;
  readonly open: () => Promise<Readable>;
}

function createBlob(sizeBytes: number, damage?: (bytes: Buffer) => Buffer): Blob {
  const bytes = Buffer.from(Array.from({ length: sizeBytes }, (_, position) => (position * 7 + (position >> 8)) % 256));
  const descriptor: Descriptor = { mediaType: 'application/octet-stream', digest: digestOf(bytes), size: sizeBytes };
  const blob: Blob = {
    descriptor,
    bytes,
    opened: 0,
    open: () => {
      blob.opened++;
      const content = damage?.(bytes) ?? bytes;
      const chunks = Array.from({ length: Math.ceil(content.length / 50_000) }, (_, index) =>
        content.subarray(index * 50_000, (index + 1) * 50_000),
      );
      return Promise.resolve(verifyBlob(Readable.from(chunks, { objectMode: false }), descriptor, 'the source'));
    },
  };
  return blob;
}

async function upload({ client }: UploadRegistry, { descriptor, open }: Blob): Promise<string> {
  return uploadBlob({ client, repository: 'a/b', descriptor, open });
}

/** What the registry has under the digest is the blob. */
function assertStored({ stored }: UploadRegistry, { descriptor, bytes }: Blob): void {
  assert.ok(stored.get(descriptor.digest)?.equals(bytes), 'the blob is stored');
  assert.equal(stored.size, 1);
}

test('a blob goes with one PUT', async (t) => {
  const registry = await startUploadRegistry(t, {});
  const blob = createBlob(300_000);
  assert.equal(await upload(registry, blob), 'written');
  assertStored(registry, blob);
  assert.deepEqual(registry.log, ['POST 0', 'PUT 300000']);
});

test('an empty blob is stored', async (t) => {
  const registry = await startUploadRegistry(t, {});
  const blob = createBlob(0);
  await upload(registry, blob);
  assertStored(registry, blob);
});

test('what is too large for one request goes in pieces, and the registry is remembered', async (t) => {
  const registry = await startUploadRegistry(t, { maxBodyBytes: MEBIBYTE });
  const blob = createBlob(3 * MEBIBYTE + 1);
  await upload(registry, blob);
  assertStored(registry, blob);
  assert.equal(blob.opened, 2, `once for the whole, once for all pieces: ${registry.log.join(', ')}`);
  const sent = registry.log.filter((line) => /^(?:PUT|PATCH) [1-9]/.test(line));
  assert.equal(sent[0], `PUT ${String(blob.descriptor.size)}`);
  assert.ok(
    sent.slice(1).every((line) => line.startsWith('PATCH ') && Number(line.split(' ')[1]) <= MEBIBYTE),
    sent.join(', '),
  );

  registry.log.length = 0;
  registry.stored.clear();
  const second = createBlob(2 * MEBIBYTE);
  await upload(registry, second);
  assertStored(registry, second);
  assert.ok(!registry.log.some((line) => /^PUT [1-9]/.test(line)), registry.log.join(', '));
});

test('a registry that refuses the smallest piece is an error, with what can be done', async (t) => {
  const registry = await startUploadRegistry(t, { maxBodyBytes: 1000 });
  await assert.rejects(upload(registry, createBlob(2 * MEBIBYTE)), (error: { code: string; hints: string[] }) => {
    assert.equal(error.code, 'DT_REGISTRY_ERROR');
    assert.match(error.hints.join(), /client_max_body_size/);
    return true;
  });
  assert.equal(registry.stored.size, 0);
});

test('no piece but the last is smaller than the registry wants', async (t) => {
  const minChunkBytes = 700_000;
  const registry = await startUploadRegistry(t, { maxBodyBytes: MEBIBYTE, minChunkBytes });
  const blob = createBlob(1_500_000);
  await upload(registry, blob);
  assertStored(registry, blob);
  const pieces = registry.log.filter((line) => line.startsWith('PATCH')).map((line) => Number(line.split(' ')[1]));
  assert.deepEqual(pieces, [700_000, 700_000, 100_000]);
});

test('a broken upload goes on where the registry stopped', async (t) => {
  const registry = await startUploadRegistry(t, { keepsParts: true, cutsBody: (count) => count === 1 });
  const blob = createBlob(2 * MEBIBYTE);
  await upload(registry, blob);
  assertStored(registry, blob);
  const [, first, ask, rest] = registry.log;
  assert.deepEqual([first, ask], [`PUT ${String(2 * MEBIBYTE)}`, 'GET 0']);
  assert.match(rest ?? '', /^PATCH /);
  assert.ok(Number(rest?.split(' ')[1]) <= MEBIBYTE, 'the half that came is not sent again');
});

test('a registry that forgets broken sessions gets the whole blob again', async (t) => {
  const registry = await startUploadRegistry(t, { losesSessions: true, cutsBody: (count) => count === 1 });
  const blob = createBlob(500_000);
  await upload(registry, blob);
  assertStored(registry, blob);
});

test('a registry that does not know a session any more gets the whole blob again, but not for ever', async (t) => {
  const forgetful = await startUploadRegistry(t, {
    maxBodyBytes: MEBIBYTE,
    refuses: (count) => (count === 4 ? 404 : undefined),
  });
  const blob = createBlob(3 * MEBIBYTE);
  await upload(forgetful, blob);
  assertStored(forgetful, blob);
  const never = await startUploadRegistry(t, { refuses: () => 404 });
  await assert.rejects(upload(never, createBlob(1000)), { code: 'DT_NOT_FOUND' });
  assert.equal(never.log.filter((line) => line === 'PUT 1000').length, 4);
});

test('pieces that break without end are given up', async (t) => {
  const registry = await startUploadRegistry(t, { losesSessions: true, cutsBody: () => true });
  await assert.rejects(upload(registry, createBlob(500_000)), { code: 'DT_REGISTRY_UNREACHABLE', isTransient: false });
  assert.equal(registry.stored.size, 0);
  assert.equal(registry.log.filter((line) => /^(?:PUT|PATCH) [1-9]/.test(line)).length, 1 + QUICK_RETRIES.retries);
});

test('a registry that loses every session after its first piece is given up', async (t) => {
  const registry = await startUploadRegistry(t, {
    maxBodyBytes: MEBIBYTE,
    losesSessions: true,
    cutsBody: (count) => count % 2 === 0,
  });
  await assert.rejects(upload(registry, createBlob(4 * MEBIBYTE)), { code: /^DT_REGISTRY_(?:ERROR|UNREACHABLE)$/ });
  assert.equal(registry.stored.size, 0);
});

test('a piece that is taken in part goes on behind that part', async (t) => {
  const registry = await startUploadRegistry(t, { maxBodyBytes: MEBIBYTE, takesAtMost: 300_000 });
  const blob = createBlob(2 * MEBIBYTE);
  await upload(registry, blob);
  assertStored(registry, blob);
});

for (const status of [400, 401, 403, 404, 405]) {
  test(`a blob of which the mount is answered ${String(status)} is sent`, async (t) => {
    const registry = await startUploadRegistry(t, { refusesMounts: status });
    const blob = createBlob(1000);
    const { descriptor, open } = blob;
    const { client } = registry;
    assert.equal(await uploadBlob({ client, repository: 'a/b', descriptor, open, mountFrom: 'a/c' }), 'written');
    assertStored(registry, blob);
    assert.deepEqual(registry.log, ['POST 0', 'POST 0', 'PUT 1000']);
  });
}

for (const status of [408, 429, 500, 503]) {
  test(`an upload that is answered ${String(status)} is sent again`, async (t) => {
    const registry = await startUploadRegistry(t, { refuses: (count) => (count === 1 ? status : undefined) });
    const blob = createBlob(200_000);
    await upload(registry, blob);
    assertStored(registry, blob);
    assert.equal(blob.opened, 2);
  });
}

test('an upload that is answered with an hour to wait is not sent again', async (t) => {
  const registry = await startUploadRegistry(t, { refuses: () => 429, retryAfter: '3600' });
  await assert.rejects(upload(registry, createBlob(1000)), { code: 'DT_REGISTRY_ERROR' });
  assert.deepEqual(registry.log, ['POST 0', 'PUT 1000']);
});

test('an upload that is answered 400 is not sent again', async (t) => {
  const registry = await startUploadRegistry(t, { refuses: () => 400 });
  await assert.rejects(upload(registry, createBlob(1000)), { code: 'DT_REGISTRY_ERROR' });
  assert.deepEqual(registry.log, ['POST 0', 'PUT 1000']);
});

test('a blob that was stored although nobody said so is not sent again', async (t) => {
  const registry = await startUploadRegistry(t, { swallowsFirstCompletion: true });
  const blob = createBlob(100_000);
  assert.equal(await upload(registry, blob), 'written');
  assertStored(registry, blob);
  assert.equal(blob.opened, 1);
});

for (const [what, damage] of [
  [
    'with another byte',
    (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -1), Buffer.from([1 ^ (bytes.at(-1) ?? 0)])]),
  ],
  ['with a byte too few', (bytes: Buffer) => bytes.subarray(0, -1)],
  ['with a byte too many', (bytes: Buffer) => Buffer.concat([bytes, Buffer.from([0])])],
] as const) {
  for (const maxBodyBytes of [Number.POSITIVE_INFINITY, MEBIBYTE]) {
    test(`a source ${what} is never stored, ${maxBodyBytes === MEBIBYTE ? 'in pieces' : 'as a whole'}`, async (t) => {
      const registry = await startUploadRegistry(t, { maxBodyBytes });
      await assert.rejects(upload(registry, createBlob(2 * MEBIBYTE, damage)), {
        code: /^DT_(?:DIGEST|SIZE)_MISMATCH$/,
      });
      assert.equal(registry.stored.size, 0);
      assert.ok(!registry.log.includes('PUT 0'), 'a bad source is not completed');
    });
  }
}
