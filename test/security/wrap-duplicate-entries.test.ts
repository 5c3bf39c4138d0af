import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspectWrap } from '../../src/workflows/inspect-wrap.ts';
import { assertWrapRefused } from '../support/assert-refused.ts';
import { randomBytesOf } from '../support/images.ts';
import { assembleWrap, makeHonestWrap, piece, takeApart, withFolder } from '../support/hostile-wraps.ts';

// Readers differ in which of two entries counts: what was looked at is not what is deployed.
const CHART = 'demo-1.2.3/chart';

for (const isPlain of [false, true]) {
  for (const name of ['Images.lock', 'values.yaml', 'templates/pod.yaml']) {
    test(`a wrap ${isPlain ? 'of another tool ' : ''}with two ${name} is refused`, async () => {
      const pieces = (await takeApart(await makeHonestWrap())).filter(
        ({ header }) => !isPlain || !header.name.includes('/.dt/'),
      );
      const hostile = await assembleWrap([...pieces, piece(`${CHART}/${name}`, '{}')], { isPlain });
      await assertWrapRefused(hostile, ['DT_UNSAFE_ENTRY'], { throughProgram: name === 'Images.lock' });
    });
  }
}

test('a wrap with the same path as a small and as a large entry is refused', async () => {
  const pieces = await takeApart(await makeHonestWrap());
  const hostile = await assembleWrap([...pieces, piece(`${CHART}/values.yaml`, randomBytesOf('x', 70_000))]);
  await assertWrapRefused(hostile, ['DT_UNSAFE_ENTRY']);
});

test('info shows the lock of the chart that would be unwrapped, not one of another folder', async () => {
  await withFolder(async (folder) => {
    const pieces = await takeApart(await makeHonestWrap());
    const decoy = piece(
      'aaa/chart/Images.lock',
      'apiVersion: v0\nkind: ImagesLock\nchart:\n  name: decoy\n  version: 9.9.9\nimages: []\n',
    );
    const file = join(folder, 'w.tgz');
    await writeFile(file, await assembleWrap([...pieces.slice(0, 1), decoy, ...pieces.slice(1)]));
    assert.equal((await inspectWrap(file)).locks[0]?.lock.chart.name, 'demo');
  });
});
