import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32, gunzipSync, gzipSync } from 'node:zlib';
import { deflateMember, FOOTER_BYTES, formatFooter, GZIP_HEADER, parseFooter } from '../../src/archive/gzip-member.ts';
import {
  assembleWrap,
  makeHonestWrap,
  piece,
  takeApart,
  tarOf,
  type WrapPiece,
  storedMember,
} from '../support/hostile-wraps.ts';
import { assertDamaged, verifyBytes } from '../support/verify-wrap.ts';

const isSmall = ({ header, content }: WrapPiece): boolean => header.type !== 'link' && content.length < 64 * 1024;

async function takeSmallTar(extra: readonly WrapPiece[] = []): Promise<{ pieces: WrapPiece[]; tar: Buffer }> {
  const pieces = await takeApart(await makeHonestWrap());
  return { pieces, tar: await tarOf([...pieces.filter(isSmall), ...extra]) };
}

test('empty blocks in a member, behind which other programs see nothing, are found', async () => {
  const { pieces, tar } = await takeSmallTar();
  for (const blocks of [1, 2]) {
    const smallMember = deflateMember(Buffer.concat([tar, Buffer.alloc(blocks * 512)]));
    await assertDamaged(await assembleWrap(pieces, { smallMember }), { code: 'DT_WRAP_INVALID' });
  }
});

test('bytes in the padding of an entry are found', async () => {
  const { pieces, tar } = await takeSmallTar();
  // The first entry is wrap.json: its padding ends where the next header starts.
  const size = pieces[0]?.content.length ?? 0;
  const end = 512 + Math.ceil(size / 512) * 512;
  const hidden = Buffer.from(tar);
  hidden.write('hidden', end - 6);
  await assertDamaged(await assembleWrap(pieces, { smallMember: deflateMember(hidden) }), { code: 'DT_WRAP_INVALID' });
});

test('a member with a name, a comment or more than one deflated stream is found', async () => {
  const { pieces, tar } = await takeSmallTar();
  const plain = deflateMember(tar);
  const named = Buffer.concat([plain.subarray(0, 10), Buffer.from('evil\0'), plain.subarray(10)]);
  named.writeUInt8(8, 3);
  const half = Math.floor(tar.length / 1024) * 512;
  const two = Buffer.concat([deflateMember(tar.subarray(0, half)), deflateMember(tar.subarray(half))]);
  const dated = gzipSync(tar);
  GZIP_HEADER.copy(dated);
  dated.writeUInt32LE(crc32('a date'), 4);
  for (const smallMember of [named, two, dated]) {
    await assertDamaged(await assembleWrap(pieces, { smallMember }), { code: 'DT_WRAP_INVALID' });
  }
});

test('a header that programs read in different ways is found', async () => {
  const { pieces, tar } = await takeSmallTar();
  for (const [offset, bytes] of [
    // An owner, a user name, a device number, text behind the end of the name.
    [108, '0000012\0'],
    [265, 'root'],
    [329, '0000001\0'],
    [95, 'x'],
  ] as const) {
    const edited = Buffer.from(tar);
    edited.write(bytes, offset, 'latin1');
    let sum = 0;
    edited.fill(' ', 148, 156);
    for (const byte of edited.subarray(0, 512)) sum += byte;
    edited.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
    await assertDamaged(await assembleWrap(pieces, { smallMember: deflateMember(edited) }), {
      code: 'DT_WRAP_INVALID',
    });
  }
});

test('bytes in the padding of a large entry are found although its checksum fits them', async () => {
  const pieces = await takeApart(await makeHonestWrap());
  const wrap = await assembleWrap(pieces);
  const large = pieces.find(({ header }) => header.name.endsWith('/files/large.bin'));
  assert.ok(large !== undefined);
  const tar = await tarOf([large]);
  const at = wrap.indexOf(storedMember(tar));
  assert.ok(at > 0 && large.content.length % 512 !== 0);
  tar.write('hidden', tar.length - 6);
  storedMember(tar).copy(wrap, at);
  await assertDamaged(wrap, { code: 'DT_WRAP_INVALID', entry: large.header.name });
});

test('an archive without its end mark, or with something in it, is found', async () => {
  const wrap = await assembleWrap(await takeApart(await makeHonestWrap()));
  const tocOffset = parseFooter(wrap.subarray(wrap.length - FOOTER_BYTES)) ?? 0;
  const last = gunzipSync(wrap.subarray(tocOffset, wrap.length - FOOTER_BYTES));
  const withLast = (tar: Buffer): Buffer =>
    Buffer.concat([wrap.subarray(0, tocOffset), deflateMember(tar), formatFooter(tocOffset)]);
  await verifyBytes(withLast(last));
  const written = Buffer.from(last);
  written.write('hidden', last.length - 100);
  for (const tar of [last.subarray(0, last.length - 1024), last.subarray(0, last.length - 512), written]) {
    await assertDamaged(withLast(tar), { code: 'DT_WRAP_INVALID' });
  }
});

test('a path twice, in another form or both as file and folder is found', async () => {
  const pieces = await takeApart(await makeHonestWrap());
  for (const extra of [
    piece('demo-1.2.3/chart/Chart.yaml', 'name: evil\n'),
    piece('demo-1.2.3/./chart/Chart.yaml', 'name: evil\n'),
    piece('demo-1.2.3/chart//Chart.yaml', 'name: evil\n'),
    piece('demo-1.2.3/chart/./new.yaml', 'a: 1\n'),
    piece('demo-1.2.3/chart/Chart.yaml/x', 'x'),
    piece('demo-1.2.3/chart/link', '', { type: 'symlink', linkname: '/etc/passwd' }),
    piece('demo-1.2.3/chart/device', '', { type: 'character-device' }),
  ]) {
    await assertDamaged(await assembleWrap([...pieces, extra]), { code: 'DT_UNSAFE_ENTRY' });
  }
});
