import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseChunkRange, parseRangeHeader } from '../../../src/server/byte-range.ts';

const RANGES: readonly [header: string | undefined, sizeBytes: number, expected: unknown][] = [
  [undefined, 10, undefined],
  ['bytes=0-3', 10, { start: 0, end: 3 }],
  ['bytes=9-9', 10, { start: 9, end: 9 }],
  ['bytes=3-', 10, { start: 3, end: 9 }],
  ['bytes=3-100', 10, { start: 3, end: 9 }],
  ['bytes=-4', 10, { start: 6, end: 9 }],
  ['bytes=-40', 10, { start: 0, end: 9 }],
  ['bytes=10-', 10, 'unsatisfiable'],
  ['bytes=10-12', 10, 'unsatisfiable'],
  ['bytes=-0', 10, 'unsatisfiable'],
  ['bytes=0-', 0, 'unsatisfiable'],
  ['bytes=-5', 0, 'unsatisfiable'],
  ['bytes=5-3', 10, undefined],
  ['bytes=0-1,4-5', 10, undefined],
  ['bytes=-', 10, undefined],
  ['items=0-1', 10, undefined],
  ['bytes=0x1-2', 10, undefined],
];

for (const [header, sizeBytes, expected] of RANGES) {
  test(`Range: ${String(header)} of ${String(sizeBytes)} bytes`, () => {
    assert.deepEqual(parseRangeHeader(header, sizeBytes), expected);
  });
}

test('the range of a chunk has no unit', () => {
  assert.deepEqual(parseChunkRange('0-9'), { start: 0, end: 9 });
  for (const bad of ['bytes=0-9', 'bytes 0-9/10', '9-0', '-9', '0-', '', '0-9 ', '1e3-9']) {
    assert.equal(parseChunkRange(bad), undefined, bad);
  }
});
