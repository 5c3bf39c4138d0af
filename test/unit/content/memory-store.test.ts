import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { MemoryStore } from '../../../src/content/memory-store.ts';
import { digestOf } from '../../../src/domain/oci/digest.ts';
import type { Descriptor, ManifestContent } from '../../../src/domain/oci/descriptor.ts';
import {
  MEDIA_TYPE_OCI_CONFIG,
  MEDIA_TYPE_OCI_INDEX,
  MEDIA_TYPE_OCI_MANIFEST,
} from '../../../src/domain/oci/media-types.ts';

const BYTES = Buffer.from('{"architecture":"amd64","os":"linux"}');
const BLOB = describeBytes(MEDIA_TYPE_OCI_CONFIG, BYTES);
const openBytes =
  (bytes: Uint8Array = BYTES) =>
  () =>
    Promise.resolve(Readable.from([bytes]));

function describeBytes(mediaType: string, bytes: Uint8Array): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

function manifestContent(mediaType: string, document: object): ManifestContent {
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...document }));
  return { descriptor: describeBytes(mediaType, bytes), bytes };
}

const IMAGE = manifestContent(MEDIA_TYPE_OCI_MANIFEST, { config: BLOB, layers: [] });
const INDEX = manifestContent(MEDIA_TYPE_OCI_INDEX, { manifests: [IMAGE.descriptor] });

test('what is written can be read, by digest and by tag', async () => {
  const store = new MemoryStore({ name: 'test' });
  assert.equal(await store.hasBlob(BLOB), false);
  assert.equal(await store.writeBlob(BLOB, openBytes()), 'written');
  assert.equal(await store.hasBlob(BLOB), true);
  assert.ok((await buffer(await store.openBlob(BLOB))).equals(BYTES));

  await store.writeManifest(IMAGE);
  await store.writeManifest(INDEX, ['v1', 'latest']);
  assert.equal(await store.hasManifest(INDEX.descriptor), true);
  assert.deepEqual(await store.resolve('latest'), INDEX.descriptor);
  assert.deepEqual(await store.readManifest(IMAGE.descriptor.digest), IMAGE);
});

test('absent content is DT_NOT_FOUND', async () => {
  const store = new MemoryStore();
  await assert.rejects(store.resolve('v1'), { code: 'DT_NOT_FOUND' });
  await assert.rejects(store.readManifest(BLOB.digest), { code: 'DT_NOT_FOUND' });
  await assert.rejects(store.openBlob(BLOB), { code: 'DT_NOT_FOUND' });
});

test('a blob is verified, and nothing is stored after a failure', async () => {
  const store = new MemoryStore();
  const altered = Buffer.from(BYTES);
  altered[0] = 0;
  await assert.rejects(store.writeBlob(BLOB, openBytes(altered)), { code: 'DT_DIGEST_MISMATCH' });
  await assert.rejects(store.writeBlob(BLOB, openBytes(BYTES.subarray(1))), { code: 'DT_SIZE_MISMATCH' });
  const failing = () =>
    Promise.resolve(
      new Readable({
        read() {
          this.destroy(new Error('torn'));
        },
      }),
    );
  await assert.rejects(store.writeBlob(BLOB, failing), { message: 'torn' });
  assert.equal(store.blobs.size, 0);
});

test('a blob that is present is not read again', async () => {
  const store = new MemoryStore();
  await store.writeBlob(BLOB, openBytes());
  const outcome = await store.writeBlob(BLOB, () => Promise.reject(new Error('opened')));
  assert.equal(outcome, 'present');
});

test('a blob is mounted from a sibling that has it', async () => {
  const siblings = new Map<string, MemoryStore>();
  const make = (repository: string): MemoryStore => {
    const store = new MemoryStore({ repository, siblings, mountScope: 'registry' });
    siblings.set(repository, store);
    return store;
  };
  const [a, b] = [make('a'), make('b')];
  assert.equal(a.mountScope, b.mountScope);
  await a.writeBlob(BLOB, openBytes());
  const neverOpened = () => Promise.reject(new Error('opened'));
  assert.equal(await b.writeBlob(BLOB, neverOpened, { mountFrom: 'a' }), 'mounted');
  assert.equal(await make('c').writeBlob(BLOB, openBytes(), { mountFrom: 'nowhere' }), 'written');
});

test('a manifest needs its successors and its own digest', async () => {
  const store = new MemoryStore();
  await assert.rejects(store.writeManifest(IMAGE), { code: 'DT_NOT_FOUND' });
  await assert.rejects(store.writeManifest(INDEX, ['v1']), { code: 'DT_NOT_FOUND' });
  assert.equal(store.tags.size, 0);
  const forged = { ...IMAGE, descriptor: { ...IMAGE.descriptor, digest: BLOB.digest } };
  await assert.rejects(store.writeManifest(forged), { code: 'DT_DIGEST_MISMATCH' });
  const sparse = new MemoryStore({ acceptSparseIndexes: true });
  await sparse.writeManifest(INDEX, ['v1']);
  assert.equal(sparse.tags.get('v1'), INDEX.descriptor.digest);
});

test('an aborted signal stops every call', async () => {
  const store = new MemoryStore();
  const signal = AbortSignal.abort();
  await assert.rejects(store.resolve('v1', signal), { name: 'AbortError' });
  await assert.rejects(store.openBlob(BLOB, { signal }), { name: 'AbortError' });
  await assert.rejects(store.writeBlob(BLOB, openBytes(), { signal }), { name: 'AbortError' });
  await assert.rejects(store.writeManifest(IMAGE, [], signal), { name: 'AbortError' });
});
