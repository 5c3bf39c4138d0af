import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { GOLDEN_ROOT } from '../support/golden.ts';
import { assembleWrap, editEntry, makeHonestWrap, piece, takeApart, type WrapPiece } from '../support/hostile-wraps.ts';
import { assertDamaged, verifyBytes } from '../support/verify-wrap.ts';

const IMAGE = 'bitnami/signed:1.0.0';

/** A wrap that the Go dt made, with signatures. */
async function takeGoWrap(): Promise<WrapPiece[]> {
  return takeApart(await readFile(join(GOLDEN_ROOT, 'dt-unwrap/artifacts/input/signed-1.0.0.wrap.tgz')));
}

const assemble = async (pieces: readonly WrapPiece[]): Promise<Buffer> => assembleWrap(pieces, { isPlain: true });

/** The largest file below a folder. */
function findLargest(pieces: readonly WrapPiece[], folder: string): WrapPiece {
  const [largest] = pieces
    .filter(({ header }) => header.name.includes(folder) && header.name.includes('/blobs/'))
    .toSorted((left, right) => right.content.length - left.content.length);
  assert.ok(largest !== undefined);
  return largest;
}

test('a wrap of the Go dt that was taken apart and put together is sound', async () => {
  await verifyBytes(await assemble(await takeGoWrap()));
});

test('every damaged blob of a wrap of the Go dt is found, with the image', async () => {
  const pieces = await takeGoWrap();
  const damaged = [findLargest(pieces, '/images/'), findLargest(pieces, `/artifacts/images/`)];
  const flipped = pieces.map((item) => {
    if (!damaged.includes(item)) return item;
    const content = Buffer.from(item.content);
    content.writeUInt8(content.readUInt8(content.length - 3) ^ 1, content.length - 3);
    return { ...item, content };
  });
  const wrap = await assemble(flipped);
  for (const { header } of damaged) {
    const entry = header.name.split('/').slice(1).join('/');
    await assertDamaged(wrap, { code: 'DT_DIGEST_MISMATCH', entry, image: IMAGE });
  }
});

test('a blob that is gone from a wrap of the Go dt is found, with the image', async () => {
  const pieces = await takeGoWrap();
  for (const folder of ['/images/', '/artifacts/images/']) {
    const gone = findLargest(pieces, folder).header.name.replace(/.*\//, '');
    const wrap = await assemble(pieces.filter(({ header }) => !header.name.endsWith(gone)));
    const error = await assertDamaged(wrap, { code: 'DT_WRAP_INCOMPLETE', image: IMAGE });
    assert.ok(error.failures.some(({ digest, error: { message } }) => `${digest ?? ''} ${message}`.includes(gone)));
  }
});

test('a layout of the Go dt that lacks what another layout has is found', async () => {
  const pieces = await takeGoWrap();
  const config = pieces.find(
    ({ header, content }) =>
      header.name.includes('/images/') && content.includes('"architecture":"amd64"') && content.includes('rootfs'),
  );
  assert.ok(config !== undefined);
  const moved = pieces.map((item) =>
    item === config
      ? {
          ...item,
          header: {
            ...item.header,
            name: item.header.name.replace(/[a-f0-9]{64}\.layout/, `${'a'.repeat(64)}.layout`),
          },
        }
      : item,
  );
  await assertDamaged(await assemble(moved), { code: 'DT_WRAP_INCOMPLETE', image: 'bitnami/signed-single:1.0.0' });
});

test('a link to the same blob is as good as a copy, one to another blob is not', async () => {
  const pieces = (await takeApart(await makeHonestWrap())).filter(({ header }) => !header.name.includes('/.dt/'));
  await verifyBytes(await assemble(pieces));
  const link = pieces.find(({ header }) => header.type === 'link');
  const other = pieces.find(({ header, content }) => content.length > 80_000 && header.name !== link?.header.linkname);
  assert.ok(link !== undefined && other !== undefined);
  const redirected = { ...link, header: { ...link.header, linkname: other.header.name } };
  const wrap = await assemble(pieces.map((item) => (item === link ? redirected : item)));
  await assertDamaged(wrap, { code: 'DT_DIGEST_MISMATCH', entry: link.header.name.split('/').slice(1).join('/') });
});

test('an entry twice, or a link, in a wrap of the Go dt is found', async () => {
  const pieces = await takeGoWrap();
  const twice = [...pieces, piece('signed-1.0.0/chart/Chart.yaml', 'name: evil\n')];
  await assertDamaged(await assemble(twice), { code: 'DT_UNSAFE_ENTRY', entry: 'chart/Chart.yaml' });
  const link = piece('signed-1.0.0/chart/extra', '', { type: 'link', linkname: 'signed-1.0.0/chart/Chart.yaml' });
  await assertDamaged(await assemble([...pieces, link]), { code: 'DT_UNSAFE_ENTRY', entry: 'chart/extra' });
});

test('a chart of the Go dt that Helm could not load is found', async () => {
  const edited = editEntry(await takeGoWrap(), '/chart/Chart.yaml', () => 'a: [');
  await assertDamaged(await assemble(edited), { code: 'DT_WRAP_INVALID', entry: 'chart' });
});
