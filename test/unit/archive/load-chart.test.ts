import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { packChartArchive } from '../../../src/archive/chart-archive.ts';
import { readChartFolder } from '../../../src/archive/chart-folder.ts';
import { loadChart } from '../../../src/archive/load-chart.ts';
import { buildChartTree, type ChartEntry, type ChartTree } from '../../../src/domain/chart/chart-tree.ts';

const GOLDEN = join(import.meta.dirname, '../../../../shared/formats/golden');
const fileOf = (path: string, content: string | Buffer): ChartEntry => ({
  path,
  type: 'file',
  mode: 0o644,
  bytes: Buffer.from(content),
});
const chartOf = (name: string, ...entries: ChartEntry[]): ChartTree =>
  buildChartTree([fileOf('Chart.yaml', `name: ${name}\nversion: 1.0.0\n`), ...entries]);
const packed = (name: string, ...entries: ChartEntry[]): Promise<Buffer> =>
  packChartArchive(name, chartOf(name, ...entries), { mtimeSeconds: 0 });

test('subcharts are folders and archives, sorted by the name of the chart', async () => {
  const inner = await packed('inner');
  const tree = chartOf(
    'c',
    fileOf('charts/a/Chart.yaml', 'name: zeta\nversion: 1.0.0\n'),
    fileOf('charts/a/charts/inner.tgz', inner),
    fileOf('charts/z.tgz', await packed('alpha')),
    fileOf('charts/_off/Chart.yaml', 'broken: ['),
    fileOf('charts/.hidden.tgz', 'broken'),
    fileOf('charts/README.md', 'text'),
    fileOf('charts/not-a-chart/x', 'text'),
    fileOf('charts/z.tgz.prov', 'text'),
  );
  const chart = await loadChart(tree, 'c');
  assert.deepEqual(
    chart.subcharts.map(({ path, isPacked, chart: { metadata } }) => ({ path, isPacked, name: metadata.name })),
    [
      { path: 'charts/z.tgz', isPacked: true, name: 'alpha' },
      { path: 'charts/a', isPacked: false, name: 'zeta' },
    ],
  );
  assert.equal(chart.tree, tree);
  const [inside] = chart.subcharts[1]?.chart.subcharts ?? [];
  assert.deepEqual(
    { path: inside?.path, name: inside?.chart.metadata.name },
    { path: 'charts/inner.tgz', name: 'inner' },
  );
});

test('the dependencies of a v1 chart come from requirements.yaml', async () => {
  const tree = chartOf('c', fileOf('requirements.yaml', 'dependencies: [{name: a, version: 1.0.0, repository: ""}]'));
  assert.deepEqual((await loadChart(tree, 'c')).metadata.dependencies, [
    { name: 'a', version: '1.0.0', repository: '', alias: '' },
  ]);
});

test('the folder of a subchart need not be called like the chart', async () => {
  const tree = await readChartFolder(join(GOLDEN, 'defects/subchart-folder-name-differs/input/c'));
  const [subchart] = (await loadChart(tree, 'c')).subcharts;
  assert.deepEqual([subchart?.path, subchart?.chart.metadata.name], ['charts/foo', 'alpha']);
});

test('the packed subchart of the recording is read', async () => {
  const tree = await readChartFolder(join(GOLDEN, 'defects/subchart-archive-fails/input/c'));
  const [subchart] = (await loadChart(tree, 'c')).subcharts;
  assert.deepEqual([subchart?.path, subchart?.isPacked], ['charts/alpha-1.0.0.tgz', true]);
});

test('a tree without Chart.yaml is no chart', async () => {
  await assert.rejects(loadChart([fileOf('values.yaml', '')], 'c'), { code: 'DT_CHART_INVALID' });
});

test('a broken archive in charts/ is an error', async () => {
  await assert.rejects(loadChart(chartOf('c', fileOf('charts/a.tgz', 'no gzip')), 'c'), { code: 'DT_CHART_INVALID' });
});
