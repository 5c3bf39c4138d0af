import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, formatCount, formatDuration } from '../../../src/domain/format-quantity.ts';

test('sizes are decimal with one digit', () => {
  const sizes = [0, 1, 999, 1000, 270_100_000, 999_949, 999_950, 1e9, 10_250_000_000, 1e18];
  assert.deepEqual(sizes.map(formatBytes), [
    '0 B',
    '1 B',
    '999 B',
    '1.0 kB',
    '270.1 MB',
    '999.9 kB',
    '1.0 MB',
    '1.0 GB',
    '10.3 GB',
    '1000.0 PB',
  ]);
});

test('durations take the unit that fits', () => {
  const durations = [0, 80, 99.9, 100, 1100, 59_940, 59_960, 125_000, 3_599_600, 3_780_000];
  assert.deepEqual(durations.map(formatDuration), [
    '0 ms',
    '80 ms',
    '100 ms',
    '0.1 s',
    '1.1 s',
    '59.9 s',
    '1 min 0 s',
    '2 min 5 s',
    '1 h 0 min',
    '1 h 3 min',
  ]);
});

test('counts agree with their noun', () => {
  assert.deepEqual(
    [formatCount(1, 'image'), formatCount(3, 'image'), formatCount(0, 'entry', 'entries')],
    ['1 image', '3 images', '0 entries'],
  );
});
