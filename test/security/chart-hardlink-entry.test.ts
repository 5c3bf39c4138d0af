import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unpackChartArchive } from '../../src/archive/chart-archive.ts';
import { makeHostileChart, type HostileEntry } from './hostile-tar.ts';

// Hard links to files outside or inside.
const ENTRIES: readonly HostileEntry[] = [
  { name: 'c/values.yaml', type: 'link', linkname: '/etc/passwd' },
  { name: 'c/copy', type: 'link', linkname: 'c/Chart.yaml' },
];

for (const entry of ENTRIES) {
  test(`a chart with ${JSON.stringify(entry)} is refused`, async () => {
    await assert.rejects(unpackChartArchive(await makeHostileChart(entry), 'c.tgz'), { code: 'DT_UNSAFE_ENTRY' });
  });
}
