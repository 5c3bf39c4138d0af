import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { assertWrapRefused } from '../support/assert-refused.ts';
import { createRandom, SEED } from '../support/random.ts';
import { assembleWrap, makeHonestWrap, takeApart } from '../support/hostile-wraps.ts';

const CODES = ['DT_WRAP_TRUNCATED', 'DT_WRAP_INVALID'] as const;

async function memberBorders(wrap: Buffer): Promise<number[]> {
  const borders: number[] = [];
  await assembleWrap(await takeApart(wrap), {
    editToc: (members) => {
      borders.push(...members.map(([offset]) => offset), ...members.map(([offset, length]) => offset + length));
      return members;
    },
  });
  return [...new Set(borders)].filter((offset) => offset > 0 && offset < wrap.length);
}

test('a wrap that ends at the border of a member is refused', async () => {
  const wrap = await assembleWrap(await takeApart(await makeHonestWrap()));
  const borders = await memberBorders(wrap);
  assert.ok(borders.length >= 4);
  for (const border of borders) {
    await assertWrapRefused(wrap.subarray(0, border), CODES, { throughProgram: border === borders[0] });
  }
});

test('a wrap that lacks its footer, or a part of it, is refused', async () => {
  const wrap = await makeHonestWrap();
  for (const lost of [1, 8, 52, 53, 54]) {
    await assertWrapRefused(wrap.subarray(0, wrap.length - lost), CODES, { throughProgram: lost === 1 });
  }
});

test(`a wrap that ends anywhere is refused (seed ${String(SEED)})`, async () => {
  const wrap = await makeHonestWrap();
  const random = createRandom(SEED);
  for (let i = 0; i < 25; i++) {
    await assertWrapRefused(wrap.subarray(0, 1 + random.below(wrap.length - 1)), CODES, { throughProgram: i === 0 });
  }
});

test(`a wrap of another tool that ends anywhere is refused (seed ${String(SEED)})`, async () => {
  const pieces = (await takeApart(await makeHonestWrap())).filter(({ header }) => !header.name.includes('/.dt/'));
  const wrap = await assembleWrap(pieces, { isPlain: true });
  const random = createRandom(SEED);
  for (let i = 0; i < 25; i++) {
    await assertWrapRefused(wrap.subarray(0, 1 + random.below(wrap.length - 1)), CODES, { throughProgram: i === 0 });
  }
});

test('an archive that ends between two entries, without the two empty blocks, is refused', async () => {
  const pieces = (await takeApart(await makeHonestWrap())).filter(({ header }) => !header.name.includes('/.dt/'));
  const wrap = await assembleWrap(pieces, { isPlain: true });
  // The last member holds the links and the end mark only; without it the archive looks complete.
  const cut = wrap.subarray(0, wrap.lastIndexOf(Buffer.from([0x1f, 0x8b, 8, 0])));
  assert.doesNotThrow(() => gunzipSync(cut));
  await assertWrapRefused(cut, CODES);
});

test('an empty file and a file of zeros are refused', async () => {
  await assertWrapRefused(Buffer.alloc(0), CODES);
  await assertWrapRefused(Buffer.alloc(5000), CODES);
});
