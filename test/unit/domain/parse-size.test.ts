import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSize } from '../../../src/domain/parse-size.ts';

test('sizes are read as people write them', () => {
  const sizes = {
    '0': 0,
    '1500000': 1_500_000,
    '7B': 7,
    '4GB': 4_000_000_000,
    '4 GB': 4_000_000_000,
    '4.7gb': 4_700_000_000,
    '1.1KB': 1100,
    '650MiB': 681_574_400,
    '2KiB': 2048,
    '1GiB': 2 ** 30,
    '1TB': 1e12,
    '1tib': 2 ** 40,
  };
  for (const [text, bytes] of Object.entries(sizes)) assert.equal(parseSize(text, '--split'), bytes, text);
});

test('what is no size is a mistake of usage', () => {
  for (const text of ['', 'GB', '-1', '4G', '4 G B', '1e9', '0x10', '1.5', '0.5B', '4GB5', '٤GB', '99999999999TB']) {
    assert.throws(() => parseSize(text, '--split'), { code: 'DT_USAGE' }, text);
  }
});
