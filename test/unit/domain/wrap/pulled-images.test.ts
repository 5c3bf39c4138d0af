import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf } from '../../../../src/domain/oci/digest.ts';
import {
  findPulledImage,
  formatPulledImages,
  mergePulledImages,
  parsePulledImages,
  withoutPulledImages,
  type PulledImage,
} from '../../../../src/domain/wrap/pulled-images.ts';

const [A, B, INDEX] = ['a', 'b', 'index'].map((text) => digestOf(text)) as [
  PulledImage['root'],
  PulledImage['root'],
  PulledImage['root'],
];
const PULLED: PulledImage = {
  chart: 'c',
  name: 'web',
  image: 'old.example/team/web:1',
  root: INDEX,
  digests: [A, B],
  isFiltered: true,
  attached: [
    { subject: INDEX, digest: A, tag: `${INDEX.replace(':', '-')}.sig` },
    { subject: INDEX, digest: B },
  ],
};
const lockImage = (image: string, digests = [B, A]) => ({
  chart: 'c',
  name: 'web',
  image,
  digests: digests.map((digest) => ({ digest, arch: 'linux/amd64' })),
});

test('what is written is read', () => {
  assert.deepEqual(parsePulledImages(formatPulledImages([PULLED])), [PULLED]);
});

test('an image is found under its new name by chart, name and digests, and by its tag among several', () => {
  const other = { ...PULLED, image: 'old.example/team/web:2', root: A };
  const images = [PULLED, other];
  assert.equal(findPulledImage(images, lockImage('new.example/m/web:1')), PULLED);
  assert.equal(findPulledImage(images, lockImage('new.example/m/web:2')), other);
  assert.equal(findPulledImage(images, lockImage('old.example/team/web:1')), PULLED);
  assert.equal(findPulledImage(images, lockImage('new.example/m/web:1', [A])), undefined);
  assert.equal(findPulledImage(images, { ...lockImage('new.example/m/web:1'), name: 'api' }), undefined);
});

test('a second pull replaces what it pulled again, and keeps the rest', () => {
  const again = { ...PULLED, root: B };
  const other = { ...PULLED, name: 'api' };
  assert.deepEqual(mergePulledImages([PULLED, other], [again]), [again, other]);
});

test('layouts and what a pull leaves are no names of a chart', () => {
  const layout = `${'0'.repeat(64)}.layout`;
  assert.deepEqual(withoutPulledImages([layout, 'images.json', '.dt-pull.lock', '.dt-pull.tmp', 'logo.png']), [
    'logo.png',
  ]);
  // Without layouts beside it the file is the chart's own.
  assert.deepEqual(withoutPulledImages(['images.json', 'x.layout']), ['images.json', 'x.layout']);
});
