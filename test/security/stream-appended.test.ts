import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { deflateMember, FOOTER_BYTES, formatFooter } from '../../src/archive/gzip-member.ts';
import { makeHonestWrap } from '../support/hostile-wraps.ts';
import { assertStreamRefused } from '../support/stream-wraps.ts';

/** Of the length at the end of a gzip member. */
const LENGTH_BYTES = 4;
const EMPTY_MEMBER = gzipSync(Buffer.alloc(0));

const CODES = ['DT_WRAP_INVALID', 'DT_WRAP_TRUNCATED', 'DT_LIMIT_EXCEEDED'] as const;

const APPENDED: Readonly<Record<string, Buffer>> = {
  'one byte': Buffer.from([1]),
  'a zero': Buffer.from([0]),
  'many zeros': Buffer.alloc(100_000),
  'a text': Buffer.from('this is no gzip at all, but longer than a footer would be: it follows it'),
  'an empty member': deflateMember(Buffer.alloc(0)),
  'a member of zeros': deflateMember(Buffer.alloc(10_240)),
  'another footer': formatFooter(0),
};

for (const [name, bytes] of Object.entries(APPENDED)) {
  test(`a stream is refused when ${name} follows the footer`, async () => {
    const wrap = await makeHonestWrap();
    await assertStreamRefused(Buffer.concat([wrap, bytes]), CODES);
    const late = async function* (): AsyncGenerator<Buffer> {
      yield wrap;
      await sleep(30);
      yield bytes;
    };
    await assertStreamRefused(late(), CODES);
  });
}

test('a stream is refused that ends with its footer, but has something else before it', async () => {
  const wrap = await makeHonestWrap();
  const footer = wrap.subarray(-FOOTER_BYTES);
  const hidden = Buffer.from('neither gzip nor zeros: what unpacks the file does not see it');
  await assertStreamRefused(Buffer.concat([wrap, hidden, footer]), CODES);
  await assertStreamRefused(Buffer.concat([wrap.subarray(0, -FOOTER_BYTES), hidden, footer]), CODES);
  await assertStreamRefused(Buffer.concat([wrap, footer]), CODES);
});

test('a stream is refused that hides something behind its footer, and then ends as it did before', async () => {
  const wrap = await makeHonestWrap();
  // The length that the member before the footer has, and the footer. What begins with a zero is passed over by gzip.
  const end = wrap.subarray(-FOOTER_BYTES - LENGTH_BYTES);
  await assertStreamRefused(Buffer.concat([wrap, Buffer.from('\0no gzip'), end]), ['DT_WRAP_INVALID']);
});

function* forever(start: Buffer, again: Buffer): Generator<Buffer> {
  yield start;
  for (;;) yield again;
}

const ENDLESS: Readonly<Record<string, (wrap: Buffer) => Generator<Buffer>>> = {
  'members without content': () => forever(Buffer.alloc(0), Buffer.alloc(4096 * EMPTY_MEMBER.length, EMPTY_MEMBER)),
  'a wrap and then members without content': (wrap) => forever(wrap, EMPTY_MEMBER),
  'a wrap and then members of zeros': (wrap) => forever(wrap, gzipSync(Buffer.alloc(1_000_000))),
  'the start of a wrap again and again': (wrap) => forever(wrap, wrap),
  zeros: () => forever(Buffer.alloc(0), gzipSync(Buffer.alloc(1_000_000))),
  'bytes that are no gzip': () => forever(Buffer.alloc(0), Buffer.alloc(64 * 1024, 'x')),
};

for (const [name, make] of Object.entries(ENDLESS)) {
  test(`a stream without an end is given up: ${name}`, { timeout: 30_000 }, async () => {
    await assertStreamRefused(make(await makeHonestWrap()), [...CODES, 'DT_WRAP_UNSUPPORTED', 'DT_UNSAFE_ENTRY']);
  });
}
