import { test } from 'node:test';
import type { ErrorCode } from '../../src/domain/errors.ts';
import { assertWrapRefused } from '../support/assert-refused.ts';
import { assembleWrap, editEntry, makeHonestWrap, takeApart } from '../support/hostile-wraps.ts';

type Forgery = readonly [name: string, codes: readonly ErrorCode[], edit: (text: string) => string];

const OTHER = 'f'.repeat(64);
const FORGERIES: readonly Forgery[] = [
  [
    'a digest that the wrap does not hold',
    ['DT_LOCK_MISMATCH', 'DT_WRAP_INCOMPLETE'],
    (text) => text.replace(/sha256:[a-f0-9]{64}/, `sha256:${OTHER}`),
  ],
  [
    'an image that the wrap does not hold',
    ['DT_LOCK_MISMATCH', 'DT_WRAP_INCOMPLETE'],
    (text) => text.replaceAll('library/single:2.0', 'library/other:2.0'),
  ],
  ['a digest that is none', ['DT_LOCK_INVALID'], (text) => text.replace(/sha256:[a-f0-9]{64}/, 'sha256:../../etc')],
  [
    'an image that is no reference',
    ['DT_LOCK_INVALID'],
    (text) => text.replace(/image: .*/, 'image: "../../etc/passwd"'),
  ],
  ['text that is no YAML', ['DT_LOCK_INVALID'], () => '{'],
  ['a list', ['DT_LOCK_INVALID'], () => '[]'],
  ['aliases that multiply', ['DT_LOCK_INVALID'], () => yamlBomb()],
];

function yamlBomb(): string {
  const levels = Array.from(
    { length: 12 },
    (_, level) =>
      `a${String(level + 1)}: &a${String(level + 1)} [${Array.from({ length: 20 }, () => `*a${String(level)}`).join(', ')}]`,
  );
  return `a0: &a0 x\n${levels.join('\n')}\nimages: *a12\n`;
}

for (const [name, codes, edit] of FORGERIES) {
  // A wrap of another tool has nothing but its lock to tell what is in it.
  for (const isPlain of name === 'an image that the wrap does not hold' ? [false] : [false, true]) {
    test(`a wrap ${isPlain ? 'of another tool ' : ''}whose lock has ${name} is refused before anything is pushed`, async () => {
      const pieces = (await takeApart(await makeHonestWrap())).filter(
        ({ header }) => !isPlain || !header.name.includes('/.dt/'),
      );
      const forged = editEntry(pieces, '/chart/Images.lock', (content) => edit(content.toString('utf8')));
      await assertWrapRefused(await assembleWrap(forged, { isPlain }), codes, { throughProgram: !isPlain });
    });
  }
}

test('a wrap without a lock is refused', async () => {
  const pieces = (await takeApart(await makeHonestWrap())).filter(
    ({ header }) => !header.name.endsWith('/Images.lock'),
  );
  await assertWrapRefused(await assembleWrap(pieces), ['DT_WRAP_INVALID']);
});
