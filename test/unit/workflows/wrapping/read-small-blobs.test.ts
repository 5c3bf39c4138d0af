import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readGraph } from '../../../../src/content/read-graph.ts';
import { DtError } from '../../../../src/domain/errors.ts';
import { digestOf } from '../../../../src/domain/oci/digest.ts';
import type { GatheredContent } from '../../../../src/workflows/wrapping/gather-images.ts';
import { readSmallBlobs } from '../../../../src/workflows/wrapping/read-small-blobs.ts';
import { addImage, CountingStore } from '../../content/content-fixtures.ts';

const OPTIONS = { concurrency: 2 };
const SHARED = digestOf('shared');

interface TestImage extends GatheredContent {
  readonly store: CountingStore;
}

/** An image of its own repository; `shared` is a layer of all of them. */
async function gather(name: string, store = new CountingStore({ name: `r/${name}` })): Promise<TestImage> {
  const graph = await readGraph(store, addImage(store, name, ['shared', name]), OPTIONS);
  return { name: `r/${name}:1`, store, graphs: [graph] };
}

const countOpens = ({ store }: TestImage): number => store.opened.filter((digest) => digest === SHARED).length;
const ignoreBytes = (): undefined => undefined;

test('a shared blob comes from one repository, and from another where that fails', async () => {
  const images = [await gather('a'), await gather('b'), await gather('c')];
  const [first] = images;
  assert.ok(first !== undefined);
  await readSmallBlobs(images, [], OPTIONS, ignoreBytes);
  assert.deepEqual(images.map(countOpens), [1, 0, 0]);
  first.store.blobs.delete(SHARED);
  const blobs = await readSmallBlobs(images, [], OPTIONS, ignoreBytes);
  assert.equal(Buffer.from(blobs.get(SHARED) ?? []).toString(), 'shared');
  assert.deepEqual(images.map(countOpens), [2, 1, 0]);
});

test('when none gives it, all images that need it have failed with what the first said, each repository asked once', async () => {
  const store = new CountingStore({ name: 'r/same' });
  const images = [await gather('a', store), await gather('b', store), await gather('c')];
  store.blobs.delete(SHARED);
  images[2]?.store.blobs.set(SHARED, Buffer.from('other'));
  const error: unknown = await readSmallBlobs(images, [], OPTIONS, ignoreBytes).catch((reason: unknown) => reason);
  assert.ok(error instanceof DtError);
  assert.deepEqual(
    error.failures.map(({ image, error: { code } }) => [image, code]),
    ['a', 'b', 'c'].map((name) => [`r/${name}:1`, 'DT_NOT_FOUND']),
  );
  assert.deepEqual(images.map(countOpens), [1, 1, 1]);
});

test('a fatal failure is not tried on another repository', async () => {
  const images = [await gather('a'), await gather('b')];
  const [first, second] = images;
  assert.ok(first !== undefined && second !== undefined);
  const openBlob = first.store.openBlob.bind(first.store);
  first.store.openBlob = (descriptor) =>
    descriptor.digest === SHARED ? Promise.reject(new DtError('DT_DISK_FULL', 'full')) : openBlob(descriptor);
  await assert.rejects(readSmallBlobs(images, [], { concurrency: 1 }, ignoreBytes), { code: 'DT_DISK_FULL' });
  assert.equal(countOpens(second), 0);
});
