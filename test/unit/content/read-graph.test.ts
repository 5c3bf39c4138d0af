import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countBlobBytes, readGraph } from '../../../src/content/read-graph.ts';
import type { Descriptor } from '../../../src/domain/oci/descriptor.ts';
import { digestOf } from '../../../src/domain/oci/digest.ts';
import { MEDIA_TYPE_OCI_MANIFEST } from '../../../src/domain/oci/media-types.ts';
import { addBlob, addImage, addIndex, addManifest, CountingStore } from './content-fixtures.ts';

const OPTIONS = { concurrency: 4 };
const digests = (items: readonly { readonly descriptor: Descriptor }[]): string[] =>
  items.map(({ descriptor }) => descriptor.digest);

test('an image is its root, with config and layers', async () => {
  const store = new CountingStore();
  const image = addImage(store, 'a', ['one', 'two']);
  const graph = await readGraph(store, image, OPTIONS);
  assert.equal(graph.root, image);
  assert.deepEqual(graph.manifests, []);
  assert.deepEqual(
    new Set(graph.blobs.map(({ digest }) => digest)),
    new Set([digestOf('{"name":"a"}'), digestOf('one'), digestOf('two')]),
  );
});

test('nested indexes give every manifest once, children before their parents', async () => {
  const store = new CountingStore();
  const [a, b] = [addImage(store, 'a', ['shared', 'a']), addImage(store, 'b', ['shared', 'b'])];
  const inner = addIndex(store, [a, b]);
  const root = addIndex(store, [inner, a, a]);
  const graph = await readGraph(store, root, OPTIONS);
  assert.deepEqual(digests(graph.manifests).sort(), digests([a, b, inner]).sort());
  assert.ok(
    digests(graph.manifests).indexOf(inner.descriptor.digest) > digests(graph.manifests).indexOf(b.descriptor.digest),
  );
  assert.equal(graph.blobs.length, 5);
  assert.equal(countBlobBytes([graph, graph]), '{"name":"a"}'.length * 2 + 'shared'.length + 2);
});

test('a child that is listed a thousand times is read once', async () => {
  const store = new CountingStore();
  const image = addImage(store, 'a', ['one']);
  const graph = await readGraph(
    store,
    addIndex(
      store,
      Array.from({ length: 1000 }, () => image),
    ),
    OPTIONS,
  );
  assert.equal(store.readManifests.length, 1);
  assert.equal(graph.manifests.length, 1);
});

test('only chosen children are read, attestations like any other', async () => {
  const store = new CountingStore();
  const [amd, arm, attestation] = ['amd', 'arm', 'attestation'].map((name) => addImage(store, name, [name])) as [
    ReturnType<typeof addImage>,
    ReturnType<typeof addImage>,
    ReturnType<typeof addImage>,
  ];
  const annotations = {
    'vnd.docker.reference.type': 'attestation-manifest',
    'vnd.docker.reference.digest': amd.descriptor.digest,
  };
  const root = addIndex(store, [amd, arm, { ...attestation.descriptor, annotations }]);
  const graph = await readGraph(store, root, {
    ...OPTIONS,
    selectChild: ({ digest, annotations: found }) => digest === amd.descriptor.digest || found !== undefined,
  });
  assert.deepEqual(digests(graph.manifests), digests([amd, attestation]));
  assert.deepEqual(store.readManifests.sort(), digests([amd, attestation]).sort());
});

test('a child of an index that is no manifest is a blob', async () => {
  const store = new CountingStore();
  const blob = addBlob(store, 'data', 'application/x');
  assert.deepEqual((await readGraph(store, addIndex(store, [blob]), OPTIONS)).blobs, [blob]);
});

test('layers that may not be distributed are left out', async () => {
  const store = new CountingStore();
  const config = addBlob(store, '{}');
  const foreign = {
    mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
    digest: digestOf('x'),
    size: 1,
    urls: ['https://example.com'],
  };
  const image = addManifest(store, { config, layers: [foreign] }, MEDIA_TYPE_OCI_MANIFEST);
  assert.deepEqual((await readGraph(store, image, OPTIONS)).blobs, [config]);
});

test('indexes nested eight deep are read, deeper ones refused', async () => {
  const store = new CountingStore();
  let root = addImage(store, 'a', ['one']);
  for (let depth = 0; depth < 8; depth++) root = addIndex(store, [root]);
  assert.equal((await readGraph(store, root, OPTIONS)).manifests.length, 8);
  await assert.rejects(readGraph(store, addIndex(store, [root]), OPTIONS), { code: 'DT_MANIFEST_INVALID' });
});

test('a child of another size than its index says is refused', async () => {
  const store = new CountingStore();
  const image = addImage(store, 'a', ['one']);
  for (const size of [0, image.descriptor.size + 1]) {
    await assert.rejects(readGraph(store, addIndex(store, [{ ...image.descriptor, size }]), OPTIONS), {
      code: 'DT_SIZE_MISMATCH',
    });
  }
});

test('manifests that would take too much memory are refused before they are read', async () => {
  const store = new CountingStore();
  const children = Array.from({ length: 200 }, (_, index) => ({
    mediaType: MEDIA_TYPE_OCI_MANIFEST,
    digest: digestOf(String(index)),
    size: 1024 * 1024,
  }));
  await assert.rejects(readGraph(store, addIndex(store, children), OPTIONS), { code: 'DT_LIMIT_EXCEEDED' });
  assert.equal(store.readManifests.length, 0);
});

test('more manifests than a wrap can hold are refused before the last of them are read', async () => {
  const store = new CountingStore();
  const config = addBlob(store, '{}');
  const image = (name: string): ReturnType<typeof addManifest> =>
    addManifest(store, { config, layers: [], annotations: { name } }, MEDIA_TYPE_OCI_MANIFEST);
  const list = (name: string): ReturnType<typeof addIndex> =>
    addIndex(
      store,
      Array.from({ length: 9_998 }, (_, index) => image(`${name}${String(index)}`)),
    );
  const [a, b, c] = [list('a'), list('b'), list('c')] as const;
  assert.equal((await readGraph(store, addIndex(store, [a, b]), OPTIONS)).manifests.length, 19_998);
  store.readManifests.length = 0;
  await assert.rejects(readGraph(store, addIndex(store, [a, b, c]), OPTIONS), { code: 'DT_LIMIT_EXCEEDED' });
  assert.equal(store.readManifests.length, 3 + 2 * 9_998);
});

test('a child that is missing, and an interruption, end the reading', async () => {
  const store = new CountingStore();
  const image = addImage(store, 'a', ['one']);
  const root = addIndex(store, [image]);
  await assert.rejects(readGraph(store, root, { ...OPTIONS, signal: AbortSignal.abort(new Error('stop')) }), /stop/);
  store.manifests.delete(image.descriptor.digest);
  await assert.rejects(readGraph(store, root, OPTIONS), { code: 'DT_NOT_FOUND' });
});
