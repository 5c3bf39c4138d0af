import { buildChartTree, type ChartTree } from '../../src/domain/chart/chart-tree.ts';

/** The tree of a chart with these files. */
export function chartTreeOf(files: Readonly<Record<string, string>>): ChartTree {
  return buildChartTree(
    Object.entries(files).map(([path, text]) => ({ path, type: 'file', mode: 0o644, bytes: Buffer.from(text) })),
  );
}
