import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorCode } from '../../src/domain/errors.ts';
import { parsePlatform } from '../../src/domain/oci/platform.ts';
import { assembleWrap, editEntry, makeHonestWrap, takeApart } from '../support/hostile-wraps.ts';
import { assertDamaged, verifyBytes, withSource } from '../support/verify-wrap.ts';

type Edit = readonly [name: string, code: ErrorCode, image: string | undefined, edit: (text: string) => string];

const OTHER = `sha256:${'f'.repeat(64)}`;
const EDITS: readonly Edit[] = [
  [
    'a digest that the wrap does not hold',
    'DT_LOCK_MISMATCH',
    'library/multi:1.0',
    (text) => text.replace(/sha256:[a-f0-9]{64}/, OTHER),
  ],
  [
    'an image that the wrap does not hold',
    'DT_LOCK_MISMATCH',
    'library/other:2.0',
    (text) => text.replaceAll('library/single:2.0', 'library/other:2.0'),
  ],
  [
    'one image less',
    'DT_LOCK_MISMATCH',
    'library/single:2.0',
    (text) => text.replace(/\n *- name: image1[\s\S]*$/, '\n'),
  ],
  [
    'the platforms of an image exchanged',
    'DT_LOCK_MISMATCH',
    'library/multi:1.0',
    (text) =>
      text
        .replaceAll('linux/amd64', 'linux/x')
        .replaceAll('linux/arm64', 'linux/amd64')
        .replaceAll('linux/x', 'linux/arm64'),
  ],
  ['text that is no lock', 'DT_LOCK_INVALID', undefined, () => '{'],
];

for (const [name, code, image, edit] of EDITS) {
  test(`a lock with ${name} is found`, async () => {
    const pieces = await takeApart(await makeHonestWrap());
    const edited = editEntry(pieces, '/chart/Images.lock', (content) => edit(content.toString('utf8')));
    const place = image === undefined ? { entry: '/chart/Images.lock' } : { image };
    await assertDamaged(await assembleWrap(edited), { code, ...place });
  });
}

test('the platforms exchanged in the lock and in wrap.json are found by what the image itself says', async () => {
  const swap = (text: string): string =>
    text
      .replaceAll('linux/amd64', 'linux/x')
      .replaceAll('linux/arm64', 'linux/amd64')
      .replaceAll('linux/x', 'linux/arm64');
  for (const suffixes of [['/chart/Images.lock', '/.dt/wrap.json']]) {
    let pieces = await takeApart(await makeHonestWrap());
    for (const suffix of suffixes) pieces = editEntry(pieces, suffix, (content) => swap(content.toString('utf8')));
    const wrap = await assembleWrap(pieces);
    await assertDamaged(wrap, { code: 'DT_LOCK_MISMATCH', image: 'library/multi:1.0' });
    await assertDamaged(wrap, { code: 'DT_LOCK_MISMATCH', image: 'library/single:2.0' });
  }
});

test('a wrap of the Go dt whose lock names something else is found', async () => {
  const pieces = (await takeApart(await makeHonestWrap())).filter(({ header }) => !header.name.includes('/.dt/'));
  const edited = editEntry(pieces, '/chart/Images.lock', (content) =>
    content.toString('utf8').replace(/sha256:[a-f0-9]{64}/, OTHER),
  );
  const expected = { code: 'DT_WRAP_INCOMPLETE', image: 'library/multi:1.0' } as const;
  const error = await assertDamaged(await assembleWrap(edited, { isPlain: true }), expected);
  assert.ok(error.failures.some(({ digest }) => digest === OTHER));
});

test('a wrap without a lock is found', async () => {
  const pieces = (await takeApart(await makeHonestWrap())).filter(
    ({ header }) => !header.name.endsWith('/Images.lock'),
  );
  await assertDamaged(await assembleWrap(pieces), { code: 'DT_WRAP_INCOMPLETE', entry: '/chart/Images.lock' });
});

test('a lock of some platforms that names another index is found', async () => {
  await withSource(async (source) => {
    const pieces = await takeApart(await source.wrap({ platforms: [parsePlatform('linux/amd64')] }));
    await verifyBytes(await assembleWrap(pieces));
    const edited = editEntry(pieces, '/chart/Images.lock', (content) =>
      content.toString('utf8').replace(/(indexDigest: )\S+/, `$1${OTHER}`),
    );
    await assertDamaged(await assembleWrap(edited), { code: 'DT_LOCK_MISMATCH', image: 'app:1' });
  });
});
