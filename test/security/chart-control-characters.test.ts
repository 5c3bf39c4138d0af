import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unpackChartArchive } from '../../src/archive/chart-archive.ts';
import { makeHostileChart, type HostileEntry } from './hostile-tar.ts';

// Entries whose path would speak to a terminal or end early.
const ENTRIES: readonly HostileEntry[] = [
  { name: 'c/\u001b[31mred', content: 'x' },
  { name: 'c/a\nb', content: 'x' },
  { name: 'c/a\u0085b', content: 'x' },
  { name: 'c/a\u007fb', content: 'x' },
];

for (const entry of ENTRIES) {
  test(`a chart with ${JSON.stringify(entry)} is refused`, async () => {
    await assert.rejects(unpackChartArchive(await makeHostileChart(entry), 'c.tgz'), { code: 'DT_UNSAFE_ENTRY' });
  });
}
