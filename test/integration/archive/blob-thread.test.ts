import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, open, readFile, rm, writeFile, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { toBlobError } from '../../../src/archive/blob-error.ts';
import { BlobThread } from '../../../src/archive/blob-thread.ts';
import { GZIP_HEADER, STORED_BLOCK_BYTES, storedMemberLength } from '../../../src/archive/gzip-member.ts';
import { readBlob } from '../../../src/archive/read-blob.ts';
import { wholeFile } from '../../../src/archive/segmented-file.ts';
import { encodeTarHeader, tarPaddingBytes } from '../../../src/archive/tar-header.ts';
import { transferBlob } from '../../../src/archive/transfer-blob.ts';
import { digestOf } from '../../../src/domain/oci/digest.ts';
import { randomBytesOf } from '../../support/images.ts';
import { createRandom, SEED } from '../../support/random.ts';

const MEBIBYTE = 1024 * 1024;
const OFFSET = 1000;

let folder = '';
let thread: BlobThread;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dt-blob-thread-'));
  thread = new BlobThread();
});
after(async () => {
  await thread.close();
  await rm(folder, { recursive: true, force: true });
});

function placeOf(sizeBytes: number): { offset: number; tarHeader: Buffer; sizeBytes: number; paddingBytes: number } {
  const tarHeader = encodeTarHeader({ path: 'top/blob', type: 'file', mode: 0o644, sizeBytes, mtimeSeconds: 0 });
  return { offset: OFFSET, tarHeader, sizeBytes, paddingBytes: tarPaddingBytes(sizeBytes) };
}

async function withFile<T>(path: string, flags: string, use: (handle: FileHandle) => Promise<T>): Promise<T> {
  const handle = await open(path, flags);
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}

async function* inChunks(bytes: Buffer, chunkBytes: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += chunkBytes)
    yield await Promise.resolve(bytes.subarray(at, at + chunkBytes));
}

/** Writes `sent` where `expected` is due; what the thread says, and the member in the file. */
async function transfer(
  by: BlobThread,
  expected: Buffer,
  sent: AsyncIterable<Buffer>,
): Promise<{ reason: string | undefined; file: Buffer }> {
  const path = join(folder, 'file');
  const job = { digest: digestOf(expected), sizeBytes: expected.length, places: [placeOf(expected.length)] };
  const failure = await withFile(path, 'w+', async (handle) =>
    transferBlob(by, { ...job, file: wholeFile(handle.fd) }, sent),
  );
  return { reason: failure?.reason, file: await readFile(path) };
}

function isMarkedFinished(file: Buffer): boolean {
  return file.subarray(OFFSET, OFFSET + GZIP_HEADER.length).equals(GZIP_HEADER);
}

function expectMember(file: Buffer, bytes: Buffer): void {
  const { tarHeader, paddingBytes } = placeOf(bytes.length);
  const content = Buffer.concat([tarHeader, bytes, Buffer.alloc(paddingBytes)]);
  assert.equal(file.length, OFFSET + storedMemberLength(content.length));
  assert.ok(gunzipSync(file.subarray(OFFSET)).equals(content));
}

test('blobs of any size arrive in any chunks as one gzip member', async () => {
  const random = createRandom(SEED);
  const edges = [
    0,
    1,
    512,
    STORED_BLOCK_BYTES - 512,
    STORED_BLOCK_BYTES,
    16 * STORED_BLOCK_BYTES,
    16 * STORED_BLOCK_BYTES + 1,
  ];
  for (const sizeBytes of [...edges, ...Array.from({ length: 10 }, () => random.below(3 * MEBIBYTE))]) {
    const bytes = random.bytes(sizeBytes);
    const chunkBytes = 1 + random.below(200_000);
    const { reason, file } = await transfer(thread, bytes, inChunks(bytes, chunkBytes));
    assert.equal(
      reason,
      undefined,
      `seed ${String(SEED)}, ${String(sizeBytes)} bytes in chunks of ${String(chunkBytes)}`,
    );
    expectMember(file, bytes);
  }
});

test('many blobs at once do not mix', async () => {
  const blobs = Array.from({ length: 30 }, (_, index) => randomBytesOf(`blob ${String(index)}`, 1_500_000));
  const { tarHeader } = placeOf(1_500_000);
  const length = storedMemberLength(tarHeader.length + 1_500_000 + tarPaddingBytes(1_500_000));
  const path = join(folder, 'many');
  await withFile(path, 'w+', async (handle) => {
    const failures = await Promise.all(
      blobs.map(async (bytes, index) => {
        const places = [{ ...placeOf(bytes.length), offset: index * length }];
        const job = { file: wholeFile(handle.fd), digest: digestOf(bytes), sizeBytes: bytes.length, places };
        return transferBlob(thread, job, inChunks(bytes, 65_536));
      }),
    );
    assert.deepEqual(
      failures,
      blobs.map(() => undefined),
    );
  });
  const content = gunzipSync(await readFile(path));
  const step = content.length / blobs.length;
  for (const [index, bytes] of blobs.entries())
    assert.ok(content.subarray(index * step + 512, index * step + 512 + bytes.length).equals(bytes));
});

test('a blob that is not the promised one is not marked as finished', async () => {
  const bytes = randomBytesOf('bytes', 2 * MEBIBYTE);
  const altered = Buffer.from(bytes);
  altered.writeUInt8(bytes.readUInt8(MEBIBYTE) ^ 1, MEBIBYTE);
  for (const [sent, reason] of [
    [altered, 'digest'],
    [bytes.subarray(1), 'size'],
    [Buffer.concat([bytes, Buffer.from('x')]), 'size'],
    [Buffer.concat([bytes, bytes, bytes]), 'size'],
  ] as const) {
    const result = await transfer(thread, bytes, inChunks(sent, 100_000));
    assert.equal(result.reason, reason);
    assert.ok(!isMarkedFinished(result.file));
  }
});

test('a stream that fails passes its error on and leaves no mark', async () => {
  const bytes = randomBytesOf('bytes', 2 * MEBIBYTE);
  const torn = (async function* () {
    yield* inChunks(bytes.subarray(0, MEBIBYTE + 5), 100_000);
    await Promise.reject(new Error('torn'));
  })();
  await assert.rejects(transfer(thread, bytes, torn), { message: 'torn' });
  assert.ok(!isMarkedFinished(await readFile(join(folder, 'file'))));
});

test('a full disk is told with its code', { skip: process.platform !== 'linux' }, async () => {
  const bytes = randomBytesOf('bytes', MEBIBYTE);
  const failure = await withFile('/dev/full', 'r+', async (handle) => {
    const job = {
      file: wholeFile(handle.fd),
      digest: digestOf(bytes),
      sizeBytes: bytes.length,
      places: [placeOf(bytes.length)],
    };
    return transferBlob(thread, job, inChunks(bytes, 65_536));
  });
  assert.ok(failure?.reason === 'system');
  assert.equal(failure.code, 'ENOSPC');
});

test('without a worker the main thread does the same', async () => {
  const local = new BlobThread(new URL('./no-such-worker.ts', import.meta.url));
  const bytes = randomBytesOf('bytes', 2 * MEBIBYTE + 77);
  expectMember((await transfer(local, bytes, inChunks(bytes, 70_000))).file, bytes);
  assert.equal((await transfer(local, bytes, inChunks(bytes.subarray(1), 70_000))).reason, 'size');
  await local.close();
});

test('a thread that is lost fails what is under way', async () => {
  const lost = new BlobThread();
  const bytes = randomBytesOf('bytes', MEBIBYTE);
  await transfer(lost, bytes, inChunks(bytes, 65_536));
  await lost.close();
  assert.equal((await transfer(lost, bytes, inChunks(bytes, 65_536))).reason, 'system');
});

test('a blob is read back, and its last part only when the digest is right', async () => {
  const bytes = randomBytesOf('bytes', 3 * MEBIBYTE + 3);
  const { file } = await transfer(thread, bytes, inChunks(bytes, 65_536));
  const { tarHeader, paddingBytes } = placeOf(bytes.length);
  const path = join(folder, 'read');
  const read = async (content: Buffer): Promise<{ received: Buffer; error: unknown }> => {
    await writeFile(path, content);
    return withFile(path, 'r', async ({ fd }) => {
      const member = { offset: OFFSET, contentBytes: tarHeader.length + bytes.length + paddingBytes };
      const job = {
        file: wholeFile(fd),
        digest: digestOf(bytes),
        sizeBytes: bytes.length,
        member,
        start: tarHeader.length,
      };
      const parts: Buffer[] = [];
      try {
        for await (const part of readBlob(thread, job, (failure) =>
          toBlobError(failure, job.digest, bytes.length, 'w'),
        ))
          parts.push(part);
        return { received: Buffer.concat(parts), error: undefined };
      } catch (error) {
        return { received: Buffer.concat(parts), error };
      }
    });
  };
  const whole = await read(file);
  assert.equal(whole.error, undefined);
  assert.ok(whole.received.equals(bytes));

  const altered = Buffer.from(file);
  altered.writeUInt8(altered.readUInt8(OFFSET + 5000) ^ 1, OFFSET + 5000);
  const refused = await read(altered);
  assert.deepEqual((refused.error as { code?: string }).code, 'DT_DIGEST_MISMATCH');
  assert.ok(refused.received.length < bytes.length);

  assert.deepEqual(((await read(file.subarray(0, 2 * MEBIBYTE))).error as { code?: string }).code, 'DT_WRAP_TRUNCATED');
  const misframed = Buffer.from(file);
  misframed.writeUInt8(9, OFFSET + GZIP_HEADER.length);
  assert.deepEqual(((await read(misframed)).error as { code?: string }).code, 'DT_WRAP_INVALID');
});

test('a program that closes the thread while a request is on its way goes on behind that', async () => {
  const script = `
    const { BlobThread } = await import(${JSON.stringify(new URL('../../../src/archive/blob-thread.ts', import.meta.url).href)});
    const thread = new BlobThread();
    const id = thread.newId();
    await thread.call({ kind: 'abandon', id });
    void thread.call({ kind: 'abandon', id });
    await thread.close();
    process.stdout.write('closed');`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
  assert.equal(stdout, 'closed');
});
