import type { ChartTree } from './chart-tree.ts';
import type { Chart } from './chart.ts';

/** A chart or subchart at any depth. */
export interface ChartMemberFolder {
  readonly chart: Chart;
  /** What stands in front of the names of its files: empty, or the path of the subchart with a slash (`charts/x.tgz/`). */
  readonly label: string;
}

/** The chart itself, then its subcharts at every depth. */
export function listChartFolders(chart: Chart, label = ''): readonly ChartMemberFolder[] {
  return [
    { chart, label },
    ...chart.subcharts.flatMap((subchart) => listChartFolders(subchart.chart, `${label}${subchart.path}/`)),
  ];
}

/**
 * The tree of the chart with other bytes for some files, which are named with the labels of `listChartFolders`. What is
 * not changed keeps its bytes, packed subcharts included.
 */
export async function replaceChartFiles(
  chart: Chart,
  changes: ReadonlyMap<string, Uint8Array>,
  repackSubchart: (chart: Chart, tree: ChartTree) => Promise<Uint8Array>,
  label = '',
): Promise<ChartTree> {
  if (![...changes.keys()].some((file) => file.startsWith(label))) return chart.tree;
  const changed = new Map<string, Uint8Array>();
  for (const { type, path } of chart.tree) {
    const bytes = type === 'file' ? changes.get(label + path) : undefined;
    if (bytes !== undefined) changed.set(path, bytes);
  }
  for (const subchart of chart.subcharts) {
    const tree = await replaceChartFiles(subchart.chart, changes, repackSubchart, `${label}${subchart.path}/`);
    if (tree === subchart.chart.tree) continue;
    if (subchart.isPacked) changed.set(subchart.path, await repackSubchart(subchart.chart, tree));
    else for (const entry of tree) changed.set(`${subchart.path}/${entry.path}`, entry.bytes);
  }
  return chart.tree.map((entry) => {
    const bytes = entry.type === 'file' ? changed.get(entry.path) : undefined;
    return bytes === undefined || bytes === entry.bytes ? entry : { ...entry, bytes };
  });
}
