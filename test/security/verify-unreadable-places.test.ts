import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDtError } from '../../src/domain/errors.ts';
import { deflateMember } from '../../src/archive/gzip-member.ts';
import { forgeWrap, withOpened } from '../support/forged-wraps.ts';
import { joinMembers, takeMembers } from '../support/fuzz-members.ts';
import { getFuzzSeed } from '../support/fuzz-seeds.ts';
import { piece, tarOf } from '../support/hostile-wraps.ts';
import { assertDamaged } from '../support/verify-wrap.ts';

/** What `unwrap` does not find or take must not pass `verify`. */
async function assertUnwrapRefuses(wrap: Buffer, code: string): Promise<void> {
  await assert.rejects(
    withOpened(wrap, async ({ folders: [folder] }, context) => {
      for (const image of folder?.lock.images ?? []) await folder?.readImage(image, context);
    }),
    (error) => isDtError(error) && error.code === code,
  );
}

test('a blob that wrap.json lists without its place is missing, wherever its bytes may lie', async () => {
  const wrap = await forgeWrap('one chart', (document) => {
    const blob = document.blobs.find(({ mediaType }) => mediaType.includes('config'));
    assert.ok(blob !== undefined);
    delete (blob as { path?: string }).path;
    return undefined;
  });
  await assertUnwrapRefuses(wrap, 'DT_WRAP_INCOMPLETE');
  await assertDamaged(wrap, { code: 'DT_WRAP_INCOMPLETE' });
});

test('a blob among the links, where only unpacking programs find it, is found', async () => {
  const seed = await getFuzzSeed('one chart');
  const taken = await takeMembers(seed.wrap);
  const large = taken.members.find(({ path }) => path?.includes('/blobs/') === true);
  const moved = seed.pieces.find(({ header }) => header.name === large?.path);
  assert.ok(moved !== undefined);
  const members = taken.members.filter((member) => member !== large);
  const wrap = await joinMembers({ ...taken, members, links: [moved, ...taken.links] });
  await assertUnwrapRefuses(wrap, 'DT_WRAP_INCOMPLETE');
  await assertDamaged(wrap, { code: 'DT_WRAP_INVALID' });
});

test('a link before the last member is found', async () => {
  const taken = await takeMembers((await getFuzzSeed('one chart')).wrap);
  const [link] = taken.links;
  assert.ok(link !== undefined);
  const bytes = deflateMember(await tarOf([piece(link.header.name, '', link.header)]));
  const wrap = await joinMembers({ ...taken, members: [...taken.members, { bytes }], links: taken.links.slice(1) });
  await assertUnwrapRefuses(wrap, 'DT_UNSAFE_ENTRY');
  await assertDamaged(wrap, { code: 'DT_UNSAFE_ENTRY' });
});
