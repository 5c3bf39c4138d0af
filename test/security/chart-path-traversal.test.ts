import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { unpackChartArchive } from '../../src/archive/chart-archive.ts';
import { makeHostileChart, type HostileEntry } from './hostile-tar.ts';

// Entries whose path leads out of the folder.
const ENTRIES: readonly HostileEntry[] = [
  { name: 'c/../../slipped.txt', content: 'x' },
  { name: '../slipped.txt', content: 'x' },
  { name: 'c/..', type: 'directory' },
  { name: 'c/a/../../../b', content: 'x' },
  { name: `c/${'d/'.repeat(200)}../../x`, content: 'x' },
];

for (const entry of ENTRIES) {
  test(`a chart with ${JSON.stringify(entry)} is refused`, async () => {
    await assert.rejects(unpackChartArchive(await makeHostileChart(entry), 'c.tgz'), { code: 'DT_UNSAFE_ENTRY' });
  });
}

test('the recorded wrap that makes the Go tool write outside of its folder is refused', async () => {
  const golden = join(
    import.meta.dirname,
    '../../../shared/formats/golden/defects/unwrap-path-traversal/input/evil.tgz',
  );
  await assert.rejects(unpackChartArchive(await readFile(golden), 'evil.tgz'), { code: 'DT_UNSAFE_ENTRY' });
});
