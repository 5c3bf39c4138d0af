import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packChartArchive } from '../../src/archive/chart-archive.ts';
import { readChartFolder } from '../../src/archive/chart-folder.ts';
import { loadChart } from '../../src/archive/load-chart.ts';
import { buildChartTree } from '../../src/domain/chart/chart-tree.ts';
import type { Chart } from '../../src/domain/chart/chart.ts';

const GOLDEN_CHARTS = join(import.meta.dirname, '..', 'golden', 'charts');
const EXPECTED_FILE = 'expected.json';

/** What must be found in a golden chart. */
export interface ExpectedImages {
  /** Pack the folders of `charts/` before the chart is used. */
  readonly packSubcharts?: boolean;
  /** The values files to relocate. Default: values.yaml. */
  readonly valuesFiles?: readonly string[];
  readonly images: readonly {
    readonly reference: string;
    readonly confidence: string;
    /** `FILE:LINE PATH` of the places that its head comes from. */
    readonly from: readonly string[];
    readonly isComplete?: boolean;
    readonly isTestOnly?: boolean;
  }[];
}

/** The names of all golden charts. */
export async function listGoldenCharts(): Promise<readonly string[]> {
  return (await readdir(GOLDEN_CHARTS)).sort();
}

/** A golden chart and what must be found in it. */
export async function readGoldenChart(name: string): Promise<{ chart: Chart; expected: ExpectedImages }> {
  const folder = join(GOLDEN_CHARTS, name);
  const expected = JSON.parse(await readFile(join(folder, EXPECTED_FILE), 'utf8')) as ExpectedImages;
  const tree = (await readChartFolder(folder)).filter(({ path }) => path !== EXPECTED_FILE);
  const chart = await loadChart(tree, name);
  if (expected.packSubcharts !== true) return { chart, expected };
  const own = tree.filter(({ path }) => !chart.subcharts.some((subchart) => path.startsWith(subchart.path)));
  const packed = await Promise.all(
    chart.subcharts.map(async (subchart) => ({
      path: `${subchart.path}.tgz`,
      type: 'file' as const,
      mode: 0o644,
      bytes: await packChartArchive(subchart.chart.metadata.name, subchart.chart.tree, { mtimeSeconds: 0 }),
    })),
  );
  return { chart: await loadChart(buildChartTree([...own, ...packed]), name), expected };
}
