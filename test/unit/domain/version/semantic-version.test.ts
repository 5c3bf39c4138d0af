import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isChartVersion, parseSemanticVersion } from '../../../../src/domain/version/semantic-version.ts';

for (const text of ['1.2.3', 'v1.2.3', '1.2.3-rc.1', '1.2.3+build.5', '1.2.3-0.3.7+a-b', '1.2', '1', '1.1', '01.2.3']) {
  test(`${text} is a chart version`, () => {
    assert.ok(isChartVersion(text));
  });
}

for (const text of [
  '',
  'latest',
  '1.2.3.4',
  '1.2.x',
  '1.2.3 ',
  '^1.2.3',
  '1.2.3-',
  '1.2.3_b',
  '../1.0.0',
  `1.2.3-${'a'.repeat(300)}`,
]) {
  test(`${JSON.stringify(text.slice(0, 20))} is no chart version`, () => {
    assert.ok(!isChartVersion(text));
  });
}

test('a number is no semantic version', () => {
  for (const text of ['9', '1.2', '20240101', '1.2.3beta', '']) assert.equal(parseSemanticVersion(text), undefined);
  assert.equal(parseSemanticVersion('v1.2.3')?.version, '1.2.3');
});
