import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { crc32, gunzipSync } from 'node:zlib';
import {
  BLOCK_HEADER_BYTES,
  deflateMember,
  FOOTER_BYTES,
  formatFooter,
  GZIP_HEADER,
  GZIP_HEADER_BYTES,
  gzipTrailer,
  parseFooter,
  STORED_BLOCK_BYTES,
  storedBlockHeader,
  storedBlockOffset,
  storedBlockSize,
  storedContentBytes,
  storedMemberLength,
} from '../../../src/archive/gzip-member.ts';
import { createRandom, SEED } from '../../support/random.ts';

const BORDERS = [
  0,
  1,
  2,
  511,
  512,
  STORED_BLOCK_BYTES - 1,
  STORED_BLOCK_BYTES,
  STORED_BLOCK_BYTES + 1,
  2 * STORED_BLOCK_BYTES,
  2 * STORED_BLOCK_BYTES + 1,
];

/** A member put together block by block at the places that the functions name. */
function layOut(content: Buffer): Buffer {
  const member = Buffer.alloc(storedMemberLength(content.length), 0xee);
  GZIP_HEADER.copy(member);
  for (let block = 0, at = 0; block === 0 || at < content.length; block++) {
    const size = storedBlockSize(content.length, block);
    const offset = storedBlockOffset(block);
    storedBlockHeader(content.length, block).copy(member, offset);
    content.copy(member, offset + BLOCK_HEADER_BYTES, at, at + size);
    at += size;
  }
  gzipTrailer(crc32(content), content.length).copy(member, member.length - 8);
  return member;
}

test(`gunzip reads a stored member of any size (seed ${String(SEED)})`, () => {
  const random = createRandom(SEED);
  const sizes = [...BORDERS, ...Array.from({ length: 30 }, () => random.below(400_000))];
  for (const size of sizes) {
    const content = random.bytes(Math.min(size, 1000));
    const full = Buffer.alloc(size, content.length === 0 ? undefined : content);
    const member = layOut(full);
    assert.ok(gunzipSync(member).equals(full), `${String(size)} bytes`);
    assert.equal(storedContentBytes(member.length), size);
  }
});

test(`the length of a member tells its content, and no other length does (seed ${String(SEED)})`, () => {
  const random = createRandom(SEED);
  for (let i = 0; i < 2000; i++) {
    const size = i < BORDERS.length ? (BORDERS[i] ?? 0) : random.below(2 ** 40);
    assert.equal(storedContentBytes(storedMemberLength(size)), size);
  }
  const valid = new Set(Array.from({ length: 140_000 }, (_, size) => storedMemberLength(size)));
  for (let length = 0; length < 140_000; length++)
    assert.equal(storedContentBytes(length) !== undefined, valid.has(length), String(length));
  for (const length of [-1, 0, 5, GZIP_HEADER_BYTES, 22]) assert.equal(storedContentBytes(length), undefined);
});

test('GNU gzip and GNU tar read members one behind the other, with the footer', () => {
  const file = Buffer.concat([
    deflateMember(Buffer.from('small ')),
    layOut(Buffer.alloc(150_000, 'large ')),
    deflateMember(Buffer.alloc(0)),
    formatFooter(12),
  ]);
  const expected = Buffer.concat([Buffer.from('small '), Buffer.alloc(150_000, 'large ')]);
  assert.ok(gunzipSync(file).equals(expected));
  assert.ok(execFileSync('gzip', ['-dc'], { input: file, maxBuffer: 2 ** 20 }).equals(expected));
  execFileSync('gzip', ['-t'], { input: file });
});

test('a deflated member names neither time nor system', () => {
  const member = deflateMember(Buffer.from('x'));
  assert.ok(member.subarray(0, GZIP_HEADER_BYTES).equals(GZIP_HEADER));
  assert.ok(deflateMember(Buffer.from('x')).equals(member));
});

test('the length of contents over 4 GiB is written modulo 2^32, as the format has it', () => {
  assert.equal(gzipTrailer(0, 2 ** 32 + 7).readUInt32LE(4), 7);
  assert.equal(gzipTrailer(0xffffffff, 0).readUInt32LE(0), 0xffffffff);
});

test('a footer holds any offset', () => {
  for (const offset of [0, 1, 255, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    const footer = formatFooter(offset);
    assert.equal(footer.length, FOOTER_BYTES);
    assert.equal(parseFooter(footer), offset);
    assert.equal(gunzipSync(footer).length, 0);
  }
});

test('a footer with any bit flipped is no footer of the same offset', () => {
  const footer = formatFooter(123_456);
  for (let bit = 0; bit < footer.length * 8; bit++) {
    const flipped = Buffer.from(footer);
    const at = Math.floor(bit / 8);
    flipped.writeUInt8(flipped.readUInt8(at) ^ (1 << (bit % 8)), at);
    assert.notEqual(parseFooter(flipped), 123_456);
  }
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.alloc(FOOTER_BYTES),
    footer.subarray(1),
    Buffer.concat([footer, Buffer.alloc(1)]),
  ]) {
    assert.equal(parseFooter(bytes), undefined);
  }
  const uppercase = Buffer.from(footer.toString('latin1').replace('1e240', '1E240'), 'latin1');
  assert.equal(parseFooter(uppercase), undefined);
  const huge = Buffer.from(footer.toString('latin1').replace(/[0-9a-f]{16}/, 'ffffffffffffffff'), 'latin1');
  assert.equal(parseFooter(huge), undefined);
});
