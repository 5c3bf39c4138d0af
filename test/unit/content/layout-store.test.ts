import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, test } from 'node:test';
import { copyGraphs } from '../../../src/content/copy-graph.ts';
import { LayoutCollection } from '../../../src/content/layout-collection.ts';
import { LayoutStore } from '../../../src/content/layout-store.ts';
import { readGraph } from '../../../src/content/read-graph.ts';
import type { Descriptor } from '../../../src/domain/oci/descriptor.ts';
import { digestOf } from '../../../src/domain/oci/digest.ts';
import { layoutBlobPath, layoutName } from '../../../src/domain/oci/image-layout.ts';
import { ContainedFolder } from '../../../src/files/contained-folder.ts';
import { addImage, addIndex, CountingStore } from './content-fixtures.ts';

const ROOT = digestOf('root');
let root = '';
let images = '';
let staging = '';
let folder: ContainedFolder;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'dt-test-'));
  images = join(root, 'images');
  staging = join(images, 'staging');
  await mkdir(staging, { recursive: true });
  folder = (await ContainedFolder.open(images)) as ContainedFolder;
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

const blob = (text: string): Descriptor => ({ mediaType: 'x/y', digest: digestOf(text), size: text.length });
const pathOf = (layout: string, { digest }: Descriptor): string => join(images, layout, layoutBlobPath(digest));
const streamOf = (text: string) => () => Promise.resolve(Readable.from([Buffer.from(text)], { objectMode: false }));

test('an image goes from a store to a layout and from there to another store, unchanged', async () => {
  const source = new CountingStore();
  const children = [addImage(source, 'a', ['one', 'shared']), addImage(source, 'b', ['two', 'shared'])];
  const index = addIndex(source, children);
  const graph = await readGraph(source, index, { concurrency: 2 });
  const target = new LayoutStore(folder, index.descriptor.digest, staging);
  await copyGraphs([{ source, target, graph, tags: [] }], { concurrency: 2 });
  const { manifests } = JSON.parse(await readFile(join(target.name, 'index.json'), 'utf8')) as { manifests: unknown[] };
  const { mediaType, digest, size } = index.descriptor;
  assert.deepEqual(manifests, [{ mediaType, digest, size }]);
  assert.deepEqual(await readdir(staging), []);

  const collection = await LayoutCollection.open(folder);
  const back = new CountingStore();
  const read = await readGraph(collection, await collection.readManifest(index.descriptor.digest), { concurrency: 2 });
  await copyGraphs([{ source: collection, target: back, graph: read, tags: ['t'] }], { concurrency: 2 });
  assert.deepEqual(new Map([...back.blobs].sort()), new Map([...source.blobs].sort()));
  assert.equal(back.tags.get('t'), index.descriptor.digest);
});

test('the layout has no index before its root has come', async () => {
  const source = new CountingStore();
  const child = addImage(source, 'a', ['one']);
  const store = new LayoutStore(folder, ROOT, staging);
  await store.writeManifest(child);
  assert.deepEqual(await readdir(store.name), ['blobs']);
});

for (const [what, spoil] of [
  ['cut', async (path: string) => truncate(path, 2)],
  ['of the right size with other bytes', async (path: string) => writeFile(path, 'xxxxx')],
  ['longer', async (path: string) => writeFile(path, 'bytes and more')],
] as const) {
  test(`a file that is ${what} is not taken for present, and replaced`, async () => {
    const store = new LayoutStore(folder, ROOT, staging);
    const descriptor = blob('bytes');
    assert.equal(await store.writeBlob(descriptor, streamOf('bytes')), 'written');
    assert.equal(await store.writeBlob(descriptor, () => assert.fail('it is there')), 'present');
    await spoil(pathOf(layoutName(ROOT), descriptor));
    assert.equal(await store.hasBlob(descriptor), false);
    assert.equal(await store.writeBlob(descriptor, streamOf('bytes')), 'written');
    assert.equal(await readFile(pathOf(layoutName(ROOT), descriptor), 'utf8'), 'bytes');
  });
}

test('a stream that fails leaves nothing', async () => {
  const store = new LayoutStore(folder, ROOT, staging);
  const failing = Readable.from(
    (async function* () {
      yield Buffer.from('by');
      await Promise.reject(new Error('cut'));
    })(),
    { objectMode: false },
  );
  await assert.rejects(
    store.writeBlob(blob('bytes'), () => Promise.resolve(failing)),
    { message: 'cut' },
  );
  assert.equal(await store.hasBlob(blob('bytes')), false);
  assert.deepEqual(await readdir(staging), []);
  assert.deepEqual(await readdir(join(store.name, 'blobs/sha256')), []);
});

test('what a sibling has is linked, also in place of a copy or of damage', async () => {
  const descriptor = blob('bytes');
  const sibling = new LayoutStore(folder, digestOf('sibling'), staging);
  const store = new LayoutStore(folder, ROOT, staging);
  await sibling.writeBlob(descriptor, streamOf('bytes'));
  await store.writeBlob(descriptor, streamOf('bytes'));
  const adopt = async (): Promise<string> =>
    store.writeBlob(descriptor, () => assert.fail('not fetched'), { mountFrom: sibling.repository });
  assert.equal(await adopt(), 'mounted');
  const inodes = await Promise.all(
    [sibling, store].map(async ({ repository }) => (await stat(pathOf(repository, descriptor))).ino),
  );
  assert.equal(inodes[0], inodes[1]);
  assert.equal(await adopt(), 'present');
  await rm(pathOf(store.repository, descriptor));
  await writeFile(pathOf(store.repository, descriptor), 'xxxxx');
  assert.equal(await adopt(), 'mounted');
  assert.equal(await readFile(pathOf(store.repository, descriptor), 'utf8'), 'bytes');
});

test('a manifest with other bytes, and one that is none, have their codes', async () => {
  const store = new LayoutStore(folder, ROOT, staging);
  const text = '{"schemaVersion":2}';
  await store.writeBlob(blob(text), streamOf(text));
  await assert.rejects(store.readManifest(blob(text).digest), { code: 'DT_MANIFEST_INVALID' });
  await writeFile(pathOf(store.repository, blob(text)), '{}');
  await assert.rejects(store.readManifest(blob(text).digest), { code: 'DT_DIGEST_MISMATCH' });
  await assert.rejects(store.readManifest(digestOf('absent')), { code: 'DT_WRAP_INCOMPLETE' });
  await assert.rejects(store.readManifest('latest'), { code: 'DT_WRAP_INCOMPLETE' });
});

test('links count as long as they stay in the folder', async () => {
  const store = new LayoutStore(folder, ROOT, staging);
  const descriptor = blob('bytes');
  await store.writeBlob(descriptor, streamOf('bytes'));
  const path = pathOf(store.repository, descriptor);
  for (const [place, isInside] of [
    [images, true],
    [root, false],
  ] as const) {
    await rm(path);
    await writeFile(join(place, 'kept'), 'bytes');
    await symlink(join(place, 'kept'), path);
    if (isInside) (await store.openBlob(descriptor)).destroy();
    else await assert.rejects(store.openBlob(descriptor), { code: 'DT_UNSAFE_ENTRY' });
    assert.equal(await store.hasBlob(descriptor), isInside);
  }
});
