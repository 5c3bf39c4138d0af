import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findClosest } from '../../../src/commands/suggest.ts';

const CASES: readonly (readonly [string, string | undefined])[] = [
  ['--platfrom', '--platforms'],
  ['--PLAIN', '--plain'],
  ['--plane', '--plain'],
  ['--yse', '--yes'],
  ['--unrelated', undefined],
  ['x', undefined],
];

for (const [typed, expected] of CASES) {
  test(`${typed} may mean ${String(expected)}`, () => {
    assert.equal(findClosest(typed, ['--plain', '--platforms', '--yes']), expected);
  });
}
