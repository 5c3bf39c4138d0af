import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { deflateMember } from '../../src/archive/gzip-member.ts';
import { assertWrapRefused } from '../support/assert-refused.ts';
import { assembleWrap, makeHonestWrap, piece, tarOf, takeApart, type WrapPiece } from '../support/hostile-wraps.ts';

const MIB = 1024 * 1024;
const MAX_GROWTH_BYTES = 600 * MIB;
const MAX_DURATION_MS = 20_000;

async function smallPieces(): Promise<WrapPiece[]> {
  const pieces = await takeApart(await makeHonestWrap());
  return pieces.filter(({ header, content }) => header.type !== 'link' && content.length < 64 * 1024);
}

/** Runs with an eye on memory and time. */
async function assertCheap(run: () => Promise<void>): Promise<void> {
  const startedAt = performance.now();
  const before = process.memoryUsage().rss;
  await run();
  assert.ok(process.memoryUsage().rss - before < MAX_GROWTH_BYTES, 'it took too much memory');
  assert.ok(performance.now() - startedAt < MAX_DURATION_MS, 'it took too long');
}

test('a small member that inflates to 100 MiB is refused', async () => {
  const smallMember = deflateMember(Buffer.concat([await tarOf(await smallPieces()), Buffer.alloc(100 * MIB)]));
  assert.ok(smallMember.length < MIB);
  const wrap = await assembleWrap(await takeApart(await makeHonestWrap()), { smallMember });
  await assertCheap(async () => assertWrapRefused(wrap, ['DT_LIMIT_EXCEEDED']));
});

test('a table of contents that inflates to 80 MiB is refused', async () => {
  const pieces = await takeApart(await makeHonestWrap());
  const wrap = await assembleWrap(pieces, { editToc: (members) => [...members, ' '.repeat(80 * MIB)] });
  await assertCheap(async () => assertWrapRefused(wrap, ['DT_LIMIT_EXCEEDED']));
});

test('a wrap of another tool with a chart file of 1 GiB of zeros is refused', async () => {
  const header = Buffer.from(await tarOf([piece('demo-1.2.3/chart/zeros', '')]));
  header.write('10000000000\0', 124, 'latin1');
  header.write('        ', 148, 'latin1');
  const sum = header.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  const zeros = gzipSync(Buffer.alloc(64 * MIB));
  const wrap = Buffer.concat([gzipSync(header), ...Array.from({ length: 16 }, () => zeros)]);
  await assertCheap(async () => assertWrapRefused(wrap, ['DT_LIMIT_EXCEEDED']));
});

test('a tar header that promises 8 EiB is refused', async () => {
  const header = Buffer.from(await tarOf([piece('demo-1.2.3/chart/huge', '')]));
  header.writeUInt8(0x80, 124);
  header.fill(0xff, 126, 136);
  header.write('        ', 148, 'latin1');
  const sum = header.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  await assertWrapRefused(gzipSync(header), ['DT_WRAP_INVALID', 'DT_WRAP_TRUNCATED', 'DT_LIMIT_EXCEEDED']);
  const smallMember = deflateMember(header);
  const wrap = await assembleWrap(await takeApart(await makeHonestWrap()), { smallMember });
  await assertWrapRefused(wrap, ['DT_WRAP_INVALID', 'DT_LIMIT_EXCEEDED']);
});

test('a wrap of another tool with two million folders in its chart is refused', async () => {
  const one = await tarOf([piece('demo-1.2.3/chart/a', '', { type: 'directory' })]);
  const many = gzipSync(Buffer.concat(Array.from({ length: 100_000 }, () => one)));
  const wrap = Buffer.concat(Array.from({ length: 20 }, () => many));
  await assertCheap(async () => assertWrapRefused(wrap, ['DT_LIMIT_EXCEEDED']));
});

test('a chart of 30000 files in one of our own wraps is refused', async () => {
  const pieces = await takeApart(await makeHonestWrap());
  const names = Array.from({ length: 30_000 }, (_, index) => `demo-1.2.3/chart/files/${String(index)}`);
  const wrap = await assembleManyMembers(pieces, names);
  await assertCheap(async () => assertWrapRefused(wrap, ['DT_LIMIT_EXCEEDED']));
});

/** Small entries in as many members as they need. */
async function assembleManyMembers(pieces: readonly WrapPiece[], names: readonly string[]): Promise<Buffer> {
  const members: Buffer[] = [deflateMember(await tarOf(await smallPieces()))];
  for (let start = 0; start < names.length; start += 2000) {
    members.push(deflateMember(await tarOf(names.slice(start, start + 2000).map((name) => piece(name)))));
  }
  const lengths = members.map(({ length }) => length);
  return assembleWrap(pieces, {
    smallMember: Buffer.concat(members),
    editToc: ([, ...others]) => {
      let offset = 0;
      const split = lengths.map((length) => {
        offset += length;
        return [offset - length, length];
      });
      return [...split, ...others];
    },
  });
}
