import assert from 'node:assert/strict';
import { it } from 'node:test';
import { compareGoKeys } from '../../../../src/domain/carvel/compare-go-keys.ts';

it('orders keys as the YAML library of Go does', () => {
  const sorted = [
    '-',
    '_a',
    '1',
    '2',
    '10',
    'A',
    'a',
    'a-b',
    'a.b',
    'a1b',
    'a1.b',
    'a2',
    'a10',
    'a10b',
    'ab',
    'b1',
    'b01',
    'é',
  ];
  for (const [index, left] of sorted.entries()) {
    for (const [other, right] of sorted.entries()) {
      assert.equal(Math.sign(compareGoKeys(left, right)), Math.sign(index - other), `${left} and ${right}`);
    }
  }
});

it('counts zeros behind digits as part of the number', () => {
  assert.ok(compareGoKeys('a100', 'a15') > 0);
  assert.ok(compareGoKeys('a10', 'a1') > 0);
  assert.ok(compareGoKeys('v1.09', 'v1.10') < 0);
});
