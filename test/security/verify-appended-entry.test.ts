import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type DtError, EXIT_CODES } from '../../src/domain/errors.ts';
import { digestOf } from '../../src/domain/oci/digest.ts';
import { deflateMember, FOOTER_BYTES } from '../../src/archive/gzip-member.ts';
import {
  assembleWrap,
  editJson,
  makeHonestWrap,
  piece,
  takeApart,
  tarOf,
  type WrapPiece,
} from '../support/hostile-wraps.ts';
import { randomBytesOf } from '../support/images.ts';
import { assertDamaged, verifyBytes } from '../support/verify-wrap.ts';

const LAYOUT = `demo-1.2.3/images/${'a'.repeat(64)}.layout`;

for (const [name, extra] of Object.entries<WrapPiece>({
  'beside the chart': piece('demo-1.2.3/evil.sh', 'rm -rf'),
  'in another top folder': piece('other/evil.sh', 'rm -rf'),
  'at the top': piece('evil.sh', 'rm -rf'),
  'in .dt': piece('demo-1.2.3/.dt/evil', 'x'),
  'as a second wrap.json': piece('other/.dt/wrap.json', '{}'),
  'as a large member': piece('demo-1.2.3/images/evil.bin', randomBytesOf('evil', 70_000)),
  'as a blob that nothing lists': piece(`${LAYOUT}/blobs/sha256/${'b'.repeat(64)}`, 'x'),
  'as a folder': piece('demo-1.2.3/evil', '', { type: 'directory' }),
})) {
  test(`an entry more, ${name}, is found`, async () => {
    const pieces = await takeApart(await makeHonestWrap());
    await assertDamaged(await assembleWrap([...pieces, extra]), { code: 'DT_WRAP_INVALID', entry: extra.header.name });
  });
}

test('a blob that wrap.json lists but nothing needs is found', async () => {
  const content = Buffer.from('{"evil":true}');
  const digest = digestOf(content);
  const pieces = await takeApart(await makeHonestWrap());
  const layout =
    pieces.find(({ header }) => header.name.endsWith('.layout/index.json'))?.header.name.replace('/index.json', '') ??
    '';
  const path = `${layout}/blobs/sha256/${digest.slice(7)}`;
  const listed = editJson([...pieces, piece(path, content)], '/.dt/wrap.json', (document) => {
    (document as { blobs: unknown[] }).blobs.push({
      digest,
      size: content.length,
      mediaType: 'application/json',
      path,
    });
  });
  await assertDamaged(await assembleWrap(listed), { code: 'DT_WRAP_INVALID', entry: path });
});

test('bytes behind, before and between the members are found', async () => {
  const wrap = await makeHonestWrap();
  const more = deflateMember(await tarOf([piece('demo-1.2.3/evil.sh', 'rm -rf')]));
  const footer = wrap.subarray(wrap.length - FOOTER_BYTES);
  for (const hostile of [
    Buffer.concat([wrap, more]),
    Buffer.concat([wrap, Buffer.from('x')]),
    Buffer.concat([more, wrap]),
    // The last member is followed by another one, or by bytes that are no member.
    Buffer.concat([wrap.subarray(0, wrap.length - FOOTER_BYTES), more, footer]),
    Buffer.concat([wrap.subarray(0, wrap.length - FOOTER_BYTES), Buffer.from('hidden'), footer]),
  ]) {
    await assert.rejects(verifyBytes(hostile), (error: DtError) => error.exitCode === EXIT_CODES.verification);
  }
});
