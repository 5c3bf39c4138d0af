import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertWrapRefused } from '../support/assert-refused.ts';
import { forgeForeign, forgeWrap, withOpened } from '../support/forged-wraps.ts';
import { getFuzzSeed } from '../support/fuzz-seeds.ts';
import { assembleWrap, piece } from '../support/hostile-wraps.ts';

test('a wrap of single images that lists a chart is refused', async () => {
  const wrap = await forgeWrap('one chart', (document) => {
    document.kind = 'container';
    return undefined;
  });
  await assert.rejects(
    withOpened(wrap, () => Promise.resolve()),
    { code: 'DT_WRAP_INVALID' },
  );
});

test('a wrap of charts that lists none is refused', async () => {
  const wrap = await forgeWrap('container', (document) => {
    document.kind = 'chart';
    return undefined;
  });
  await assertWrapRefused(wrap, ['DT_WRAP_INVALID'], { throughProgram: false });
});

test('a wrap of charts without the folder of its chart is refused', async () => {
  const wrap = await forgeWrap('one chart', (_, pieces) =>
    pieces.filter(({ header }) => !header.name.startsWith('demo-1.2.3/chart')),
  );
  await assertWrapRefused(wrap, ['DT_WRAP_INVALID'], { throughProgram: false });
});

test('a wrap of single images takes its lock from the top, whatever lies in chart/', async () => {
  const { pieces } = await getFuzzSeed('container');
  const lock = String(pieces.find(({ header }) => header.name === 'multi-1.0/Images.lock')?.content);
  const other = piece('multi-1.0/chart/Images.lock', lock.replaceAll('multi:1.0', 'evil:6.6'));
  const images = await withOpened(await assembleWrap([other, ...pieces]), ({ folders }) =>
    Promise.resolve(folders.map((folder) => folder.lock.images)),
  );
  assert.deepEqual(
    images.flat().map(({ image }) => image),
    ['source.example.com/library/multi:1.0'],
  );
});

test('a wrap of another tool with two locks at its top is refused', async () => {
  const wrap = await forgeForeign('foreign container', (pieces) => {
    const lock = pieces.find(({ header }) => header.name.endsWith('/Images.lock'));
    return [...pieces, piece('multi-1.0/Images.lock', String(lock?.content).replaceAll('multi:1.0', 'evil:6.6'))];
  });
  await assert.rejects(
    withOpened(wrap, () => Promise.resolve()),
    { code: 'DT_UNSAFE_ENTRY' },
  );
});
