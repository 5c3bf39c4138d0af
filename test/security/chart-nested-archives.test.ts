import assert from 'node:assert/strict';
import { test } from 'node:test';
import { packChartArchive } from '../../src/archive/chart-archive.ts';
import { loadChart } from '../../src/archive/load-chart.ts';
import { buildChartTree, type ChartEntry, type ChartTree } from '../../src/domain/chart/chart-tree.ts';

const fileOf = (path: string, bytes: Uint8Array): ChartEntry => ({ path, type: 'file', mode: 0o644, bytes });
const chartOf = (name: string, ...entries: ChartEntry[]): ChartTree =>
  buildChartTree([fileOf('Chart.yaml', Buffer.from(`name: ${name}\nversion: 1.0.0\n`)), ...entries]);

test('a chart in a chart in a chart … is refused', async () => {
  let tree = chartOf('c');
  for (let level = 0; level < 20; level += 1) {
    tree = chartOf('c', fileOf('charts/c.tgz', await packChartArchive('c', tree, { mtimeSeconds: 0 })));
  }
  await assert.rejects(loadChart(tree, 'c'), { code: 'DT_LIMIT_EXCEEDED' });
});

test('folders in folders are refused, too', async () => {
  const path = 'charts/c/'.repeat(20);
  const entries = Array.from({ length: 20 }, (_, level) =>
    fileOf(`${path.slice(0, 9 * level)}Chart.yaml`, Buffer.from('name: c\nversion: 1.0.0\n')),
  );
  await assert.rejects(loadChart(buildChartTree(entries), 'c'), { code: 'DT_LIMIT_EXCEEDED' });
});

test('many small archives that unpack to much are refused', async () => {
  const large = await packChartArchive('c', chartOf('c', fileOf('zeros', Buffer.alloc(60 * 1024 * 1024))), {
    mtimeSeconds: 0,
  });
  assert.ok(large.length < 100_000, 'it is small while packed');
  const copies = Array.from({ length: 5 }, (_, number) => fileOf(`charts/${String(number)}.tgz`, large));
  await assert.rejects(loadChart(chartOf('c', ...copies), 'c'), { code: 'DT_LIMIT_EXCEEDED' });
});
