import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ImagesLock, LockImage } from '../../../../src/domain/lock/images-lock.ts';
import { parseImagesLock } from '../../../../src/domain/lock/parse-lock.ts';
import { compareLocks, describeLockDifference } from '../../../../src/domain/lock/verify-lock.ts';
import { digestOf } from '../../../../src/domain/oci/digest.ts';
import { readGoldenText } from './golden-files.ts';

const readLock = (path: string): ImagesLock => parseImagesLock(readGoldenText(path), path);
const CALCULATED = readLock('dt-verify/ok/input/c/Images.lock');

// The calculated lock of all these cases is the one of dt-verify/ok, whose chart has the images nginx and app.
const GOLDEN_CASES: Readonly<Record<string, readonly string[]>> = {
  ok: [],
  'ok-after-platform-filter': [],
  'ok-chart-fields-ignored': [],
  'digest-mismatch': ['digest-differs'],
  'extra-arch-in-lock': ['arch-not-found'],
  'extra-image-in-lock': ['image-count', 'image-not-found'],
  'image-missing-in-lock': ['image-count'],
  'several-differences': ['digest-differs', 'digest-differs', 'image-not-found'],
};
for (const [name, kinds] of Object.entries(GOLDEN_CASES)) {
  test(`golden case ${name}`, () => {
    const differences = compareLocks(readLock(`dt-verify/${name}/input/c/Images.lock`), CALCULATED);
    assert.deepEqual(
      differences.map(({ kind }) => kind),
      kinds,
    );
    for (const difference of differences) assert.notEqual(describeLockDifference(difference), '');
  });
}

for (const name of ['lock-arm-variants-do-not-verify', 'lock-windows-versions-do-not-verify']) {
  test(`a fresh lock verifies: ${name}`, () => {
    const lock = readLock(`defects/${name}/output/c/Images.lock`);
    assert.deepEqual(compareLocks(lock, lock), []);
    const reversed = {
      ...lock,
      images: lock.images.map((image) => ({ ...image, digests: image.digests.toReversed() })),
    };
    assert.deepEqual(compareLocks(reversed, lock), []);
  });
}

const lockOf = (...images: LockImage[]): ImagesLock => ({ ...CALCULATED, images });
const imageOf = (...digests: readonly (readonly [string, string])[]): LockImage => ({
  name: 'a',
  image: 'a/b:1',
  chart: 'c',
  digests: digests.map(([arch, content]) => ({ arch, digest: digestOf(content) })),
});

test('one variant that changed is found', () => {
  const file = lockOf(imageOf(['linux/arm', 'v6'], ['linux/arm', 'v7']));
  const calculated = lockOf(imageOf(['linux/arm', 'v6'], ['linux/arm', 'new v7']));
  assert.deepEqual(compareLocks(file, calculated), [
    {
      kind: 'digest-differs',
      chart: 'c',
      name: 'a',
      image: 'a/b:1',
      arch: 'linux/arm',
      fileDigest: digestOf('v7'),
      calculatedDigests: [digestOf('v6'), digestOf('new v7')],
    },
  ]);
});

test('a digest of another arch does not count', () => {
  const differences = compareLocks(
    lockOf(imageOf(['linux/amd64', 'x'])),
    lockOf(imageOf(['linux/amd64', 'y'], ['linux/arm64', 'x'])),
  );
  assert.deepEqual(
    differences.map(({ kind }) => kind),
    ['digest-differs'],
  );
});

test('names that only concatenate to the same text are different images', () => {
  const file = lockOf({ ...imageOf(), chart: 'a:b', name: 'c' });
  const calculated = lockOf({ ...imageOf(), chart: 'a', name: 'b:c' });
  assert.deepEqual(
    compareLocks(file, calculated).map(({ kind }) => kind),
    ['image-not-found'],
  );
});
