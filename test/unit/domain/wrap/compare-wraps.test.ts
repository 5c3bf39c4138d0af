import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../../../src/domain/oci/digest.ts';
import {
  compareWraps,
  type ComparedBlob,
  type ComparedImage,
  type ComparedWrap,
} from '../../../../src/domain/wrap/compare-wraps.ts';

const NOTHING: ComparedWrap = { charts: [], images: [], blobs: [] };

test('images are added, removed, changed or the same', () => {
  const before = { ...NOTHING, images: [image('r.example/a:1'), image('r.example/b:1'), image('r.example/c:1')] };
  const after = {
    ...NOTHING,
    images: [image('r.example/d:1'), image('r.example/c:1', 'other'), image('r.example/b:1')],
  };
  const { images } = compareWraps(before, after);
  assert.deepEqual(images, {
    added: [image('r.example/d:1')],
    removed: [image('r.example/a:1')],
    changed: [{ old: image('r.example/c:1'), new: image('r.example/c:1', 'other') }],
    unchangedCount: 1,
  });
});

test('another tag of a repository is a change, as far as one tag has become another', () => {
  const before = { ...NOTHING, images: ['r.example/a:1', 'r.example/a:2', 'r.example/b:1'].map((name) => image(name)) };
  const after = { ...NOTHING, images: ['r.example/a:2', 'r.example/a:3', 'r.example/a:4'].map((name) => image(name)) };
  const { images } = compareWraps(before, after);
  assert.deepEqual(
    images.changed.map((change) => [change.old.reference, change.new.reference]),
    [['r.example/a:1', 'r.example/a:3']],
  );
  assert.deepEqual(images.added.map(toReference), ['r.example/a:4']);
  assert.deepEqual(images.removed.map(toReference), ['r.example/b:1']);
  assert.equal(images.unchangedCount, 1);
});

test('an image of which no index is known is compared by its platforms', () => {
  const digestLess = ({ platforms, reference }: ComparedImage): ComparedImage => ({ platforms, reference });
  const compare = (old: ComparedImage, next: ComparedImage): number =>
    compareWraps({ ...NOTHING, images: [old] }, { ...NOTHING, images: [next] }).images.unchangedCount;
  assert.equal(compare(digestLess(image('r.example/a:1')), image('r.example/a:1')), 1);
  assert.equal(compare(digestLess(image('r.example/a:1')), image('r.example/a:1', 'other')), 0);
});

test('an image that several charts name counts once', () => {
  const twice = { ...NOTHING, images: [image('r.example/a:1'), image('r.example/a:1')] };
  assert.equal(compareWraps(twice, twice).images.unchangedCount, 1);
});

test('charts change by their version', () => {
  const before = { ...NOTHING, charts: [chart('a', '1'), chart('b', '1'), chart('c', '1')] };
  const after = { ...NOTHING, charts: [chart('a', '1'), chart('b', '2'), chart('d', '1')] };
  assert.deepEqual(compareWraps(before, after).charts, {
    added: [chart('d', '1')],
    removed: [chart('c', '1')],
    changed: [{ old: chart('b', '1'), new: chart('b', '2') }],
    unchangedCount: 1,
  });
});

test('a delta carries what is new, and whatever it may not leave out', () => {
  const before = {
    ...NOTHING,
    blobs: [blob('same', 100), blob('small', 1, false), blob('kept', 7), blob('resized', 50)],
  };
  const after = {
    ...NOTHING,
    blobs: [
      ...[blob('same', 100), blob('same', 100), blob('small', 1, false), blob('kept', 7, false)],
      ...[blob('resized', 51), blob('new', 1000)],
    ],
  };
  const { deltaBytes, wholeBytes } = compareWraps(before, after);
  assert.equal(deltaBytes, 1 + 7 + 51 + 1000);
  assert.equal(wholeBytes, 100 + 1 + 7 + 51 + 1000);
});

function image(reference: string, seed = reference): ComparedImage {
  return {
    reference,
    digest: digestOf(seed),
    platforms: [{ digest: digestOf(`${seed} amd64`), platform: 'linux/amd64' }],
  };
}

function chart(name: string, version: string): ComparedWrap['charts'][number] {
  return { name, version };
}

function blob(seed: string, size: number, isOmittable = true): ComparedBlob {
  return { digest: digestOf(seed), size, isOmittable };
}

function toReference({ reference }: ComparedImage): string {
  return reference;
}
