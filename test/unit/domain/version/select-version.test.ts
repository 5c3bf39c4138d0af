import assert from 'node:assert/strict';
import { test } from 'node:test';
import { selectChartVersion } from '../../../../src/domain/version/select-version.ts';

const VERSIONS = [
  '1.0.0',
  '1.2.3',
  '1.2.4_b1',
  '1.10.0',
  '2.0.0-rc.1',
  'latest',
  '9',
  '20240101',
  'sha256-abc.sig',
  '0.3.1',
  '3.0.0-alpha',
];

// Checked against Helm's own library, github.com/Masterminds/semver v3.5.0.
const CASES: readonly (readonly [string | undefined, string | undefined])[] = [
  [undefined, '1.10.0'],
  ['', '1.10.0'],
  ['*', '1.10.0'],
  ['1.2.3', '1.2.3'],
  ['1.2', '1.2.4_b1'],
  ['1', '1.10.0'],
  ['1.x', '1.10.0'],
  ['1.2.*', '1.2.4_b1'],
  ['^1.0.0', '1.10.0'],
  ['^1', '1.10.0'],
  ['~1.2', '1.2.4_b1'],
  ['~>1.2', '1.2.4_b1'],
  ['^0.3', '0.3.1'],
  ['>1', undefined],
  ['>1, <2', undefined],
  ['>1.2,<1.11', '1.10.0'],
  ['>= 1.0 <1.10', '1.2.4_b1'],
  ['=> 1.0, =< 1.2', '1.2.4_b1'],
  ['!=1.10.0', '1.2.4_b1'],
  ['1 - 2', '1.10.0'],
  ['1.0 - 1.2', '1.2.4_b1'],
  ['^5 || ^0.3 || ^1.2.0', '1.10.0'],
  ['<1', '0.3.1'],
  // build metadata, with either sign
  ['1.2.4+b1', '1.2.4_b1'],
  ['1.2.4_b1', '1.2.4_b1'],
  ['1.2.4', '1.2.4_b1'],
  // pre-releases
  ['2.0.0-rc.1', '2.0.0-rc.1'],
  ['^2', undefined],
  ['>=2.0.0', undefined],
  ['>=2.0.0-0', '3.0.0-alpha'],
  ['>=2.0.0-0, <3.0.0-0', '2.0.0-rc.1'],
  // tags that are no versions
  ['latest', 'latest'],
  ['9', '9'],
  ['9.0.0', undefined],
  ['4.5.6', undefined],
];
for (const [wanted, expected] of CASES) {
  test(`${String(wanted)} selects ${String(expected)}`, () => {
    assert.equal(selectChartVersion(VERSIONS, wanted), expected);
    assert.equal(selectChartVersion(VERSIONS.toReversed(), wanted), expected);
  });
}

test('only pre-releases: nothing is stable', () => {
  assert.equal(selectChartVersion(['1.0.0-rc.1', '1.0.0-rc.2']), undefined);
  assert.equal(selectChartVersion([]), undefined);
});

test('a leading v and leading zeros do not hide a version', () => {
  assert.equal(selectChartVersion(['v1.9.0', 'v1.10.0']), 'v1.10.0');
  assert.equal(selectChartVersion(['2024.01.05', '2024.11.04']), '2024.11.04');
});

test('among equal versions the build decides, whatever the order of the list', () => {
  const builds = ['1.0.0_b2', '1.0.0_b3', '1.0.0_b1'];
  assert.equal(selectChartVersion(builds), '1.0.0_b3');
  assert.equal(selectChartVersion(builds.toReversed()), '1.0.0_b3');
});

for (const wanted of ['no-such-tag', '>', '1.2.3.4', '1 || ', '>>1', '1..2', `>=${'1'.repeat(600)}`]) {
  test(`"${wanted.slice(0, 20)}" is neither version nor range`, () => {
    assert.throws(() => selectChartVersion(VERSIONS, wanted), { code: 'DT_USAGE' });
  });
}
