import { test } from 'node:test';
import { assertWrapRefused } from '../support/assert-refused.ts';
import { randomBytesOf } from '../support/images.ts';
import { assembleWrap, makeHonestWrap, piece, takeApart } from '../support/hostile-wraps.ts';

const NAMES = [
  '../slipped.txt',
  '/tmp/slipped.txt',
  'demo-1.2.3/chart/../../slipped.txt',
  'demo-1.2.3/chart/..',
  'demo-1.2.3\\..\\slipped.txt',
  'demo-1.2.3/chart/a\u0001b',
  'C:/slipped.txt',
] as const;

for (const isPlain of [false, true]) {
  for (const name of NAMES) {
    test(`a wrap ${isPlain ? 'of another tool ' : ''}with the entry ${JSON.stringify(name)} is refused`, async () => {
      const pieces = (await takeApart(await makeHonestWrap())).filter(
        ({ header }) => !isPlain || !header.name.includes('/.dt/'),
      );
      const hostile = await assembleWrap([...pieces, piece(name, 'x')], { isPlain });
      await assertWrapRefused(hostile, ['DT_UNSAFE_ENTRY'], { throughProgram: name === NAMES[0] });
    });
  }
}

test('a wrap whose large entry leads out of the folder is refused', async () => {
  const pieces = await takeApart(await makeHonestWrap());
  const hostile = await assembleWrap([
    ...pieces,
    piece('demo-1.2.3/chart/../../../slipped', randomBytesOf('x', 70_000)),
  ]);
  await assertWrapRefused(hostile, ['DT_UNSAFE_ENTRY']);
});
