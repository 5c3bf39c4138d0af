import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { writeTarGzip } from '../../../src/archive/tar-gzip-file.ts';
import { digestOf } from '../../../src/domain/oci/digest.ts';

const CHUNK_BYTES = 64 * 1024;
const CHUNK_COUNT = 40;

test('a target that fails ends the blob that is on its way', async () => {
  const chunks = async function* (): AsyncGenerator<Buffer> {
    for (let count = 0; count < CHUNK_COUNT; count++) {
      await sleep(5);
      yield Buffer.alloc(CHUNK_BYTES, count);
    }
  };
  const stream = Readable.from(chunks(), { objectMode: false });
  const entry = {
    kind: 'blob',
    path: 'a/b',
    digest: digestOf(Buffer.alloc(0)),
    sizeBytes: CHUNK_BYTES * CHUNK_COUNT,
  } as const;
  const options = {
    mtimeSeconds: 0,
    signal: new AbortController().signal,
    openBlob: async (): Promise<Readable> => Promise.resolve(stream),
  };
  await assert.rejects(writeTarGzip('/dev/full', [entry], options), { code: 'ENOSPC' });
  for (let waits = 0; waits < 50 && !stream.destroyed; waits++) await sleep(20);
  assert.equal(stream.destroyed, true);
});
