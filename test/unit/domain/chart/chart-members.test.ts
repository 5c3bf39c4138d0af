import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseChartMetadata } from '../../../../src/domain/chart/chart-metadata.ts';
import { listChartMembers } from '../../../../src/domain/chart/chart-members.ts';
import type { Chart } from '../../../../src/domain/chart/chart.ts';

function chartOf(
  name: string,
  version: string,
  dependencies: readonly string[] = [],
  subcharts: readonly Chart[] = [],
): Chart {
  const list = dependencies.length === 0 ? '' : `dependencies: [${dependencies.join(', ')}]\n`;
  return {
    metadata: parseChartMetadata(`apiVersion: v2\nname: ${name}\nversion: ${version}\n${list}`, 'Chart.yaml'),
    tree: [],
    subcharts: subcharts.map((chart) => ({ path: `charts/${chart.metadata.name}`, isPacked: false, chart })),
  };
}

function membersOf(dependencies: readonly string[], ...subcharts: readonly Chart[]): readonly string[] {
  const members = listChartMembers(chartOf('parent', '1.0.0', dependencies, subcharts));
  return members.map(({ name, chart }) => `${name} ${chart.metadata.name} ${chart.metadata.version}`);
}

describe('listChartMembers', () => {
  const [one, two, other] = [chartOf('sub', '1.4.0'), chartOf('sub', '2.0.0'), chartOf('other', '1.0.0')];

  it('takes undeclared subcharts under their own names', () => {
    assert.deepEqual(membersOf([], one, other), ['sub sub 1.4.0', 'other other 1.0.0']);
  });

  it('takes a declared one under its alias, and once for every dependency', () => {
    const dependencies = ['{name: sub, version: 1.x, alias: a}', '{name: sub, version: ^1.2.0}'];
    assert.deepEqual(membersOf(dependencies, one, other), ['other other 1.0.0', 'a sub 1.4.0', 'sub sub 1.4.0']);
  });

  it('takes the version that fits', () => {
    const dependencies = ['{name: sub, version: ">=2", alias: young}', '{name: sub, version: 1.4.0, alias: old}'];
    assert.deepEqual(membersOf(dependencies, one, two), ['young sub 2.0.0', 'old sub 1.4.0']);
  });

  it('takes what no dependency fits as undeclared, and leaves out a dependency that is not there', () => {
    const dependencies = [
      '{name: sub, version: 3.x, alias: a}',
      '{name: gone, version: 1.x}',
      '{name: other, version: "?"}',
    ];
    assert.deepEqual(membersOf(dependencies, one, other), ['sub sub 1.4.0', 'other other 1.0.0']);
  });
});
