import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unpackChartArchive } from '../../src/archive/chart-archive.ts';
import { makeHostileChart, type HostileEntry } from './hostile-tar.ts';

// Devices and pipes: reading one would hang, writing one would harm.
const ENTRIES: readonly HostileEntry[] = [
  { name: 'c/values.yaml', type: 'fifo' },
  { name: 'c/values.yaml', type: 'character-device', devmajor: 1, devminor: 5 },
  { name: 'c/values.yaml', type: 'block-device', devmajor: 8 },
];

for (const entry of ENTRIES) {
  test(`a chart with ${JSON.stringify(entry)} is refused`, async () => {
    await assert.rejects(unpackChartArchive(await makeHostileChart(entry), 'c.tgz'), { code: 'DT_UNSAFE_ENTRY' });
  });
}
