import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unpackChartArchive } from '../../src/archive/chart-archive.ts';
import { makeHostileChart, type HostileEntry } from './hostile-tar.ts';

// Symbolic links, also those that stay inside.
const ENTRIES: readonly HostileEntry[] = [
  { name: 'c/values.yaml', type: 'symlink', linkname: '/etc/passwd' },
  { name: 'c/templates', type: 'symlink', linkname: '../..' },
  { name: 'c/inside', type: 'symlink', linkname: 'Chart.yaml' },
];

for (const entry of ENTRIES) {
  test(`a chart with ${JSON.stringify(entry)} is refused`, async () => {
    await assert.rejects(unpackChartArchive(await makeHostileChart(entry), 'c.tgz'), { code: 'DT_UNSAFE_ENTRY' });
  });
}
