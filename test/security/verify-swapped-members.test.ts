import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assembleWrap, makeHonestWrap, takeApart, type WrapPiece } from '../support/hostile-wraps.ts';
import { assertDamaged } from '../support/verify-wrap.ts';

const isBlob = ({ header, content }: WrapPiece): boolean => header.name.includes('/blobs/') && content.length > 80_000;

test("two large blobs under each other's name are found, with the image that needs them", async () => {
  const pieces = await takeApart(await makeHonestWrap());
  const [first, second] = pieces.filter(isBlob);
  assert.ok(first !== undefined && second !== undefined);
  const swapped = pieces.map((piece) => {
    if (piece === first) return { ...first, content: second.content };
    return piece === second ? { ...second, content: first.content } : piece;
  });
  const wrap = await assembleWrap(swapped);
  for (const { header } of [first, second]) {
    // Their sizes differ by a byte.
    await assertDamaged(wrap, { code: 'DT_SIZE_MISMATCH', entry: header.name, image: 'library/multi:1.0' });
  }
});

test("two members under each other's name in the table of contents are found", async () => {
  const pieces = await takeApart(await makeHonestWrap());
  const wrap = await assembleWrap(pieces, {
    editToc: (members) => {
      const paths = members.flatMap(([, , path]) => (path === undefined ? [] : [path])).reverse();
      return members.map(([offset, length, path]) =>
        path === undefined ? [offset, length] : [offset, length, paths.shift()],
      );
    },
  });
  await assertDamaged(wrap, { code: 'DT_WRAP_INVALID', entry: pieces.find(isBlob)?.header.name ?? '?' });
});
