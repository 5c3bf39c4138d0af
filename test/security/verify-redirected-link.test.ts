import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorCode } from '../../src/domain/errors.ts';
import { assembleWrap, editJson, makeHonestWrap, piece, takeApart } from '../support/hostile-wraps.ts';
import { assertDamaged } from '../support/verify-wrap.ts';

const TARGETS: Readonly<Record<string, readonly [code: ErrorCode, target: (own: string, other: string) => string]>> = {
  'another blob': ['DT_DIGEST_MISMATCH', (_, other) => other],
  'a file of the chart': ['DT_DIGEST_MISMATCH', () => 'demo-1.2.3/chart/Chart.yaml'],
  'a path that is not there': ['DT_WRAP_INCOMPLETE', () => 'demo-1.2.3/nowhere'],
  itself: ['DT_WRAP_INCOMPLETE', (own) => own],
};

for (const [name, [code, target]] of Object.entries(TARGETS)) {
  test(`a link that leads to ${name} is found`, async () => {
    const pieces = await takeApart(await makeHonestWrap());
    const link = pieces.find(({ header }) => header.type === 'link');
    const other = pieces.find(
      ({ header, content }) =>
        header.name.includes('/blobs/') && content.length > 80_000 && header.name !== link?.header.linkname,
    );
    assert.ok(link !== undefined && other !== undefined);
    const own = link.header.name;
    const redirected = pieces.map((item) =>
      item === link ? { ...link, header: { ...link.header, linkname: target(own, other.header.name) } } : item,
    );
    await assertDamaged(await assembleWrap(redirected), { code, entry: own });
  });
}

test('a link in place of a file of the chart is found', async () => {
  const pieces = await takeApart(await makeHonestWrap());
  const link = piece('demo-1.2.3/chart/extra.yaml', '', { type: 'link', linkname: 'demo-1.2.3/chart/Chart.yaml' });
  await assertDamaged(await assembleWrap([...pieces, link]), { code: 'DT_UNSAFE_ENTRY', entry: link.header.name });
});

test('a link out of the archive is found', async () => {
  const pieces = await takeApart(await makeHonestWrap());
  const blob = pieces.find(({ header }) => header.type === 'link');
  assert.ok(blob !== undefined);
  const link = { ...blob, header: { ...blob.header, linkname: '../../../etc/passwd' } };
  await assertDamaged(await assembleWrap(pieces.map((item) => (item === blob ? link : item))), {
    code: 'DT_UNSAFE_ENTRY',
  });
});

test('a blob that wrap.json says to lie at a link is found', async () => {
  const pieces = await takeApart(await makeHonestWrap());
  const link = pieces.find(({ header }) => header.type === 'link');
  assert.ok(link !== undefined);
  const listed = editJson(pieces, '/.dt/wrap.json', (document) => {
    for (const blob of (document as { blobs: { path: string }[] }).blobs) {
      if (blob.path === link.header.linkname) blob.path = link.header.name;
    }
  });
  await assertDamaged(await assembleWrap(listed), { code: 'DT_WRAP_INCOMPLETE', entry: link.header.name });
});
