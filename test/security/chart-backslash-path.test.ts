import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unpackChartArchive } from '../../src/archive/chart-archive.ts';
import { makeHostileChart, type HostileEntry } from './hostile-tar.ts';

// Entries that lead out of the folder on Windows only.
const ENTRIES: readonly HostileEntry[] = [
  { name: 'c\\..\\..\\x', content: 'x' },
  { name: 'c/..\\x', content: 'x' },
  { name: 'c/a\\b', content: 'x' },
];

for (const entry of ENTRIES) {
  test(`a chart with ${JSON.stringify(entry)} is refused`, async () => {
    await assert.rejects(unpackChartArchive(await makeHostileChart(entry), 'c.tgz'), { code: 'DT_UNSAFE_ENTRY' });
  });
}
