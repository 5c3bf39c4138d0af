import assert from 'node:assert/strict';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspectWrap } from '../../src/workflows/inspect-wrap.ts';
import { assertWrapRefused, catchError } from '../support/assert-refused.ts';
import { assembleWrap, makeHonestWrap, takeApart, withFolder, type TocMembers } from '../support/hostile-wraps.ts';

const CODES = ['DT_WRAP_INVALID', 'DT_WRAP_INCOMPLETE', 'DT_LIMIT_EXCEEDED', 'DT_UNSAFE_ENTRY'] as const;

const FORGERIES: Readonly<Record<string, (members: TocMembers) => unknown>> = {
  'a member out of the file': (members) => [...members, [2 ** 40, 100, 'x']],
  'a negative offset': ([, ...members]) => [[-1, 5], ...members],
  'overlapping members': (members) => members.map(([offset, length, path]) => [Math.max(offset - 10, 0), length, path]),
  'a gap between members': ([first, , ...others]) => [first, ...others],
  'a length of zero': (members) => [[0, 0], ...members],
  'a length that is no number': ([[offset] = [0], ...members]) => [[offset, '100'], ...members],
  'a path that is no text': (members) =>
    members.map(([offset, length, path]) => [offset, length, path === undefined ? path : 5]),
  'members that are no list': () => ({}),
  'a member that is no list': () => [null],
  'the paths of two members exchanged': (members) => {
    const paths = members.flatMap(([, , path]) => (path === undefined ? [] : [path])).reverse();
    return members.map(([offset, length, path]) =>
      path === undefined ? [offset, length] : [offset, length, paths.shift()],
    );
  },
  'the first member said to be a large entry': ([[offset, length] = [0, 0], ...members]) => [
    [offset, length, members[0]?.[2]],
    ...members,
  ],
  'borders that are moved by one byte': (members) =>
    members.map(([offset, length, path], index) =>
      index === 0 ? [offset, length + 1] : index === 1 ? [offset + 1, length - 1, path] : [offset, length, path],
    ),
  'no members at all': () => [],
};

for (const [name, editToc] of Object.entries(FORGERIES)) {
  test(`a table of contents with ${name} is refused before anything is pushed`, async () => {
    const pieces = await takeApart(await makeHonestWrap());
    await assertWrapRefused(await assembleWrap(pieces, { editToc }), CODES, {
      throughProgram: ['the paths of two members exchanged', 'a member out of the file'].includes(name),
    });
  });
}

for (const [name, editFooter] of Object.entries({
  'to the start of the file': () => 0,
  'to itself': (offset: number) => offset + 1_000_000,
  'beyond the file': () => 2 ** 52,
  'one byte off': (offset: number) => offset + 1,
})) {
  test(`a footer that points ${name} is refused`, async () => {
    const pieces = await takeApart(await makeHonestWrap());
    await assertWrapRefused(await assembleWrap(pieces, { editFooter }), CODES, {
      throughProgram: name === 'beyond the file',
    });
  });
}

test('a footer that makes the reader take a huge file for its table of contents costs no memory', async () => {
  await withFolder(async (folder) => {
    const wrap = await assembleWrap(await takeApart(await makeHonestWrap()), { editFooter: () => 0 });
    const file = join(folder, 'sparse.wrap.tgz');
    await writeFile(file, '');
    const handle = await open(file, 'r+');
    // A file of 200 GB that takes no room.
    await handle.write(wrap.subarray(wrap.length - 53), 0, 53, 200e9);
    await handle.close();
    const before = process.memoryUsage().rss;
    assert.match(
      String(((await catchError(inspectWrap(file))) as { code: unknown }).code),
      /^DT_(?:LIMIT_EXCEEDED|WRAP_INVALID)$/,
    );
    assert.ok(process.memoryUsage().rss - before < 200e6);
  });
});
