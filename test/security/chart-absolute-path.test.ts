import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unpackChartArchive } from '../../src/archive/chart-archive.ts';
import { makeHostileChart, type HostileEntry } from './hostile-tar.ts';

// Entries with an absolute path, or one after the first part is taken off.
const ENTRIES: readonly HostileEntry[] = [
  { name: '/etc/passwd', content: 'x' },
  { name: '//server/share', content: 'x' },
  { name: 'C:/Windows/x', content: 'x' },
  { name: 'c/C:/Windows/x', content: 'x' },
  { name: 'c/c:x', content: 'x' },
];

for (const entry of ENTRIES) {
  test(`a chart with ${JSON.stringify(entry)} is refused`, async () => {
    await assert.rejects(unpackChartArchive(await makeHostileChart(entry), 'c.tgz'), { code: 'DT_UNSAFE_ENTRY' });
  });
}
