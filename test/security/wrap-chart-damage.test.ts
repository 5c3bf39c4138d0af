import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertWrapRefused } from '../support/assert-refused.ts';
import { randomBytesOf } from '../support/images.ts';
import { makeHonestWrap } from '../support/hostile-wraps.ts';

test('damage in a large file of the chart, which no digest names, is refused', async () => {
  const wrap = await makeHonestWrap();
  const start = wrap.indexOf(randomBytesOf('large', 70_000).subarray(0, 64));
  assert.ok(start > 0);
  for (const offset of [0, 40_000, 69_000]) {
    const damaged = Buffer.from(wrap);
    damaged.writeUInt8(damaged.readUInt8(start + offset) ^ 4, start + offset);
    await assertWrapRefused(damaged, ['DT_WRAP_INVALID'], { throughProgram: offset === 0 });
  }
});
