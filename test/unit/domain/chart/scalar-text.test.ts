import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readScalarText } from '../../../../src/domain/chart/scalar-text.ts';
import { parseYaml } from '../../../../src/domain/yaml/parse-yaml.ts';

// Recorded from sigs.k8s.io/yaml v1.6.0, the library of Helm.
const CASES: readonly (readonly [string, string])[] = [
  ['1.10', '1.1'],
  ['1.0', '1'],
  ['1e3', '1000'],
  ['12', '12'],
  ['-0', '0'],
  ['20240101', '20240101'],
  ['1234567.5', '1.2345675e+06'],
  ['12345678.25', '1.2345678e+07'],
  ['0.0001', '0.0001'],
  ['0.00001', '1e-05'],
  ['1e-7', '1e-07'],
  ['1.50000000000000000001', '1.5'],
  ['.5', '0.5'],
  ['.inf', '+Inf'],
  ['.nan', 'NaN'],
  ['true', 'true'],
  ['~', ''],
  ['"1.10"', '1.10'],
  ['2020-01-01', '2020-01-01'],
  ['1.2.3', '1.2.3'],
];
for (const [yaml, expected] of CASES) {
  test(`${yaml} is read as "${expected}"`, () => {
    assert.equal(readScalarText(parseYaml(yaml, 'x')), expected);
  });
}

test('lists and maps are no text', () => {
  assert.equal(readScalarText([]), undefined);
  assert.equal(readScalarText({}), undefined);
});
