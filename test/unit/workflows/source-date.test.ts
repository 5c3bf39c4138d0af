import assert from 'node:assert/strict';
import { test } from 'node:test';
import { generationTime, readSourceDateSeconds } from '../../../src/workflows/source-date.ts';

test('reads seconds, and nothing where nothing is set', () => {
  assert.equal(readSourceDateSeconds({}), undefined);
  assert.equal(readSourceDateSeconds({ SOURCE_DATE_EPOCH: '' }), undefined);
  assert.equal(readSourceDateSeconds({ SOURCE_DATE_EPOCH: '0' }), 0);
  assert.equal(generationTime({ SOURCE_DATE_EPOCH: '1700000000' }).toISOString(), '2023-11-14T22:13:20.000Z');
  assert.ok(Math.abs(generationTime({}).getTime() - Date.now()) < 5000);
});

for (const value of [' ', '-1', '1.5', '1e3', '0x1', 'now', '1 ', '1\n', '9'.repeat(12), '٣']) {
  test(`refuses ${JSON.stringify(value)}`, () => {
    assert.throws(() => readSourceDateSeconds({ SOURCE_DATE_EPOCH: value }), { code: 'DT_CONFIG_INVALID' });
  });
}

test('every value that is taken is a date', () => {
  assert.ok(!Number.isNaN(generationTime({ SOURCE_DATE_EPOCH: '9'.repeat(11) }).getTime()));
});
