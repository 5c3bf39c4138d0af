import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GZIP_HEADER_BYTES } from '../../src/archive/gzip-member.ts';
import { assembleWrap, makeHonestWrap, takeApart, type TocMembers } from '../support/hostile-wraps.ts';
import { createRandom, SEED } from '../support/random.ts';
import { startEmbeddedRegistry } from '../support/registries.ts';
import { assertStreamRefused, unwrapStream } from '../support/stream-wraps.ts';

const CODES = ['DT_WRAP_TRUNCATED', 'DT_WRAP_INVALID'] as const;

async function listMembers(wrap: Buffer): Promise<TocMembers> {
  let found: TocMembers = [];
  await assembleWrap(await takeApart(wrap), { editToc: (members) => (found = members) });
  return found;
}

test('a sound wrap is taken from a stream, however it is cut into chunks', async () => {
  const wrap = await makeHonestWrap();
  for (const chunkBytes of [wrap.length, 4096, 511]) {
    const target = await startEmbeddedRegistry();
    const chunks = Array.from({ length: Math.ceil(wrap.length / chunkBytes) }, (_, index) =>
      wrap.subarray(index * chunkBytes, (index + 1) * chunkBytes),
    );
    const { pushed, summary } = await unwrapStream(chunks, target.host);
    await target.close();
    assert.equal(pushed, true);
    assert.equal(summary?.identicalImages, 2);
    assert.ok(target.requests.some((line) => /^PUT \/v2\/mirror\/demo\/manifests\/1\.2\.3 201$/.test(line)));
  }
});

test('a stream that ends at the border of a member, or in the middle of one, is refused before any manifest', async () => {
  const wrap = await assembleWrap(await takeApart(await makeHonestWrap()));
  const members = await listMembers(wrap);
  assert.ok(members.length >= 4);
  for (const [offset, length] of members) {
    if (offset > 0) await assertStreamRefused(wrap.subarray(0, offset), CODES);
    await assertStreamRefused(wrap.subarray(0, offset + Math.floor(length / 2)), CODES);
    await assertStreamRefused(wrap.subarray(0, offset + length), CODES);
  }
});

test('a stream that lacks its footer, or a part of it, is refused', async () => {
  const wrap = await makeHonestWrap();
  for (const lost of [1, 8, 52, 53, 54]) await assertStreamRefused(wrap.subarray(0, wrap.length - lost), CODES);
});

test(`a stream that ends anywhere is refused (seed ${String(SEED)})`, async () => {
  const wrap = await makeHonestWrap();
  const random = createRandom(SEED);
  for (let i = 0; i < 20; i++) await assertStreamRefused(wrap.subarray(0, random.below(wrap.length)), CODES);
});

test(`a stream with one bit that is another one pushes no manifest of the wrong bytes (seed ${String(SEED)})`, async () => {
  const wrap = await assembleWrap(await takeApart(await makeHonestWrap()));
  const starts = (await listMembers(wrap)).map(([offset]) => offset);
  const random = createRandom(SEED);
  const codes = [
    ...CODES,
    'DT_DIGEST_MISMATCH',
    'DT_SIZE_MISMATCH',
    'DT_WRAP_INCOMPLETE',
    'DT_WRAP_UNSUPPORTED',
    'DT_UNSAFE_ENTRY',
    'DT_LIMIT_EXCEEDED',
  ] as const;
  for (let i = 0; i < 40; i++) {
    const flipped = Buffer.from(wrap);
    const at = random.below(wrap.length);
    // Some bytes of the header of a member say nothing about its content.
    if (starts.some((start) => at >= start && at < start + GZIP_HEADER_BYTES)) continue;
    flipped[at] = (flipped[at] ?? 0) ^ (1 << random.below(8));
    await assertStreamRefused(flipped, codes);
  }
});
