import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseDigest } from '../../../src/domain/oci/digest.ts';
import { openFolderBackend } from '../../../src/server/folder-backend.ts';
import { randomBytesOf } from '../../support/images.ts';
import { startTestServer } from './backends.ts';

const MIB = 1024 * 1024;
const BLOB_MIB = 256;
/** Far below the size of the blob; buffers of sockets and garbage of this process are in it. */
const MAX_GROWTH_BYTES = 120 * MIB;

function* generateBlob(): Generator<Buffer> {
  const piece = randomBytesOf('streaming', MIB);
  for (let i = 0; i < BLOB_MIB; i += 1) {
    piece.writeUInt32BE(i, 0);
    yield Buffer.from(piece);
  }
}

test('a blob of 256 MiB goes in and out in constant memory', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'dt-test-registry-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const server = await startTestServer(t, { backend: await openFolderBackend(folder) });
  const expected = createHash('sha256');
  for (const chunk of generateBlob()) expected.update(chunk);
  const digest = parseDigest(`sha256:${expected.digest('hex')}`);

  const startBytes = process.memoryUsage.rss();
  let peakBytes = startBytes;
  const sampler = setInterval(() => {
    peakBytes = Math.max(peakBytes, process.memoryUsage.rss());
  }, 5);
  t.after(() => {
    clearInterval(sampler);
  });

  const push = request(`${server.url}/v2/big/blobs/uploads/?digest=${digest}`, {
    method: 'POST',
    headers: { 'Content-Length': BLOB_MIB * MIB },
  });
  const answered = once(push, 'response') as Promise<[IncomingMessage]>;
  await pipeline(Readable.from(generateBlob(), { objectMode: false, highWaterMark: MIB }), push);
  const [pushed] = await answered;
  pushed.resume();
  assert.equal(pushed.statusCode, 201);

  const pull = request(`${server.url}/v2/big/blobs/${digest}`).end();
  const [pulled] = (await once(pull, 'response')) as [IncomingMessage];
  const seen = createHash('sha256');
  await pipeline(pulled, seen);
  assert.equal(seen.digest('hex'), digest.slice('sha256:'.length));

  const growthBytes = peakBytes - startBytes;
  assert.ok(growthBytes < MAX_GROWTH_BYTES, `memory grew by ${String(Math.round(growthBytes / MIB))} MiB`);
  assert.deepEqual(await readdir(join(folder, 'uploads')), []);
});

test('a reader that stops makes the server stop reading', async (t) => {
  let readBytes = 0;
  let isClosed = false;
  const source = async function* (): AsyncGenerator<Buffer> {
    try {
      for (const chunk of generateBlob()) {
        readBytes += chunk.length;
        yield chunk;
        await sleep(0);
      }
    } finally {
      isClosed = true;
    }
  };
  const folder = await mkdtemp(join(tmpdir(), 'dt-test-registry-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const backend = await openFolderBackend(folder);
  const server = await startTestServer(t, {
    backend: {
      listRepositories: () => backend.listRepositories(),
      statManifest: () => Promise.resolve(undefined),
      readManifest: () => Promise.resolve(undefined),
      listTags: () => Promise.resolve(undefined),
      listReferrers: () => Promise.resolve([]),
      statBlob: () => Promise.resolve(BLOB_MIB * MIB),
      openBlob: () => Promise.resolve(Readable.from(source(), { objectMode: false, highWaterMark: MIB })),
    },
  });
  const pull = request(`${server.url}/v2/big/blobs/sha256:${'0'.repeat(64)}`).end();
  const [response] = (await once(pull, 'response')) as [IncomingMessage];
  response.pause();
  await sleep(400);
  assert.ok(readBytes < 40 * MIB, `the server read ${String(readBytes / MIB)} MiB ahead`);
  response.destroy();
  await sleep(200);
  assert.ok(isClosed);
  assert.deepEqual(server.errors, []);
});
