import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openFolderBackend } from '../../../src/server/folder-backend.ts';
import { pushImage } from '../../support/images.ts';
import { putBlob, startTestServer } from './backends.ts';
import { digestOf } from '../../../src/domain/oci/digest.ts';

test('what was pushed is there after a restart, stored once for all repositories', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'dt-test-registry-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const first = await startTestServer(t, { backend: await openFolderBackend(folder) });
  const image = await pushImage(first.host, 'a/b:1', { seed: 7 });
  await pushImage(first.host, 'c:1', { seed: 7 });

  const second = await startTestServer(t, { backend: await openFolderBackend(folder) });
  for (const repository of ['a/b', 'c']) {
    const index = await second.send('GET', `/v2/${repository}/manifests/1`);
    assert.equal(index.headers.get('docker-content-digest'), image.digest);
    for (const blob of image.blobs) {
      const { body } = await second.send('GET', `/v2/${repository}/blobs/${blob}`);
      assert.equal(digestOf(body), blob);
    }
  }
  const files = await readdir(join(folder, 'blobs/sha256'));
  assert.equal(files.length, image.blobs.length + image.manifests.length + 1);
  assert.deepEqual(await readdir(join(folder, 'uploads')), []);
});

test('the same blob pushed by many at once is stored whole', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'dt-test-registry-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const server = await startTestServer(t, { backend: await openFolderBackend(folder) });
  const bytes = Buffer.alloc(3_000_000, 'abc');
  const digest = digestOf(bytes);
  const statuses = await Promise.all(Array.from({ length: 8 }, () => putBlob(server, 'a', digest, bytes)));
  assert.deepEqual(new Set(statuses), new Set([201]));
  assert.equal(digestOf((await server.send('GET', `/v2/a/blobs/${digest}`)).body), digest);
  assert.deepEqual(await readdir(join(folder, 'uploads')), []);
});
