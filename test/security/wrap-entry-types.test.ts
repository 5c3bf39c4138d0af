import { test } from 'node:test';
import { deflateMember } from '../../src/archive/gzip-member.ts';
import type { Header } from 'tar-stream';
import { assertWrapRefused } from '../support/assert-refused.ts';
import { assembleWrap, makeHonestWrap, piece, takeApart, tarOf } from '../support/hostile-wraps.ts';

const CHART = 'demo-1.2.3/chart';
const HEADERS: readonly Partial<Header>[] = [
  { type: 'symlink', linkname: '/etc/passwd' },
  { type: 'symlink', linkname: 'values.yaml' },
  { type: 'character-device', devmajor: 1, devminor: 3 },
  { type: 'block-device', devmajor: 8, devminor: 0 },
  { type: 'fifo' },
];

for (const header of HEADERS) {
  for (const isPlain of [false, true]) {
    test(`a wrap ${isPlain ? 'of another tool ' : ''}with ${JSON.stringify(header)} is refused`, async () => {
      const pieces = (await takeApart(await makeHonestWrap())).filter(
        (old) => !isPlain || !old.header.name.includes('/.dt/'),
      );
      const hostile = await assembleWrap([...pieces, piece(`${CHART}/evil`, '', header)], { isPlain });
      await assertWrapRefused(hostile, ['DT_UNSAFE_ENTRY'], { throughProgram: header.type === 'symlink' });
    });
  }
}

for (const linkname of ['../../../etc/passwd', '/etc/passwd']) {
  test(`a wrap of another tool with a hard link to ${linkname} is refused`, async () => {
    const pieces = (await takeApart(await makeHonestWrap())).filter(({ header }) => !header.name.includes('/.dt/'));
    const hostile = await assembleWrap([...pieces, piece(`${CHART}/evil`, '', { type: 'link', linkname })], {
      isPlain: true,
    });
    await assertWrapRefused(hostile, ['DT_UNSAFE_ENTRY']);
  });
}

test('a hard link among the small entries of our own wrap is refused', async () => {
  const pieces = await takeApart(await makeHonestWrap());
  const link = {
    header: { name: `${CHART}/evil`, type: 'link', linkname: '/etc/passwd' },
    content: Buffer.alloc(0),
  } as const;

  const small = pieces.filter(({ header, content }) => header.type !== 'link' && content.length < 64 * 1024);
  const hostile = await assembleWrap(pieces, { smallMember: deflateMember(await tarOf([...small, link])) });
  await assertWrapRefused(hostile, ['DT_UNSAFE_ENTRY']);
});
