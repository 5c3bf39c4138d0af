import { parseChartMetadata, withRequirements, type ChartMetadata } from '../domain/chart/chart-metadata.ts';
import {
  chartTreeSizeBytes,
  findChartFile,
  subtreeOf,
  type ChartEntry,
  type ChartTree,
} from '../domain/chart/chart-tree.ts';
import type { Chart, Subchart } from '../domain/chart/chart.ts';
import { DtError } from '../domain/errors.ts';
import { unpackChartArchive } from './chart-archive.ts';

const MAX_CHART_DEPTH = 16;
/** All packed subcharts together, unpacked: they are held in memory twice, before and after the relocation. */
const MAX_PACKED_SUBCHART_BYTES = 32 * 1024 * 1024;

const CHART_FILE = 'Chart.yaml';
const REQUIREMENTS_FILE = 'requirements.yaml';
const SUBCHARTS_FOLDER = 'charts';
const PACKED_SUFFIX = '.tgz';

/** What is left for packed subcharts: archives in archives could grow without end. */
interface Budget {
  remainingBytes: number;
}

/**
 * Reads a tree as a chart with all its subcharts: folders of `charts/` with a Chart.yaml and packed `*.tgz`, declared as
 * dependencies or not; names that start with `_` or `.` are left out, as Helm does. `name` is what messages call the
 * chart. Throws DT_CHART_INVALID, DT_YAML_INVALID, DT_UNSAFE_ENTRY, DT_LIMIT_EXCEEDED.
 */
export async function loadChart(tree: ChartTree, name: string): Promise<Chart> {
  return loadChartAt(tree, name, 1, { remainingBytes: MAX_PACKED_SUBCHART_BYTES });
}

async function loadChartAt(tree: ChartTree, name: string, depth: number, budget: Budget): Promise<Chart> {
  if (depth > MAX_CHART_DEPTH) {
    throw new DtError(
      'DT_LIMIT_EXCEEDED',
      `${name} is refused: subcharts lie deeper than ${String(MAX_CHART_DEPTH)} levels`,
    );
  }
  const metadata = readMetadata(tree, name);
  const subcharts: Subchart[] = [];
  for (const entry of tree.filter(isSubchartEntry)) {
    const subchart = await loadSubchart(tree, entry, name, depth, budget);
    if (subchart !== undefined) subcharts.push(subchart);
  }
  return { metadata, tree, subcharts: subcharts.sort(compareSubcharts) };
}

function readMetadata(tree: ChartTree, name: string): ChartMetadata {
  const chartFile = findChartFile(tree, CHART_FILE);
  if (chartFile === undefined) throw new DtError('DT_CHART_INVALID', `${name} is not a chart: it has no ${CHART_FILE}`);
  const metadata = parseChartMetadata(chartFile.bytes, `${CHART_FILE} of ${name}`);
  const requirements = findChartFile(tree, REQUIREMENTS_FILE);
  if (requirements === undefined) return metadata;
  return withRequirements(metadata, requirements.bytes, `${REQUIREMENTS_FILE} of ${name}`);
}

function isSubchartEntry({ path }: ChartEntry): boolean {
  const [folder, name = '', ...rest] = path.split('/');
  return folder === SUBCHARTS_FOLDER && name !== '' && rest.length === 0 && !/^[._]/.test(name);
}

async function loadSubchart(
  tree: ChartTree,
  entry: ChartEntry,
  parentName: string,
  depth: number,
  budget: Budget,
): Promise<Subchart | undefined> {
  const { path } = entry;
  const name = `${parentName}/${path}`;
  if (entry.type === 'directory') {
    const subtree = subtreeOf(tree, path);
    if (findChartFile(subtree, CHART_FILE) === undefined) return undefined;
    return { path, isPacked: false, chart: await loadChartAt(subtree, name, depth + 1, budget) };
  }
  if (!path.endsWith(PACKED_SUFFIX)) return undefined;
  const unpacked = await unpackChartArchive(entry.bytes, name, { maxBytes: budget.remainingBytes });
  budget.remainingBytes -= chartTreeSizeBytes(unpacked);
  return { path, isPacked: true, chart: await loadChartAt(unpacked, name, depth + 1, budget) };
}

function compareSubcharts(left: Subchart, right: Subchart): number {
  const [leftKey, rightKey] = [left, right].map(({ chart, path }) => Buffer.from(`${chart.metadata.name}\0${path}`));
  return leftKey === undefined || rightKey === undefined ? 0 : Buffer.compare(leftKey, rightKey);
}
