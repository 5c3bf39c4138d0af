import type { ChartMetadata } from './chart-metadata.ts';
import type { ChartTree } from './chart-tree.ts';

/** A chart in memory with everything under its folder. */
export interface Chart {
  readonly metadata: ChartMetadata;
  /** All files of the chart folder, those of its subcharts included as they lie there. */
  readonly tree: ChartTree;
  /** What lies in `charts/`, declared in `dependencies` or not, sorted by chart name. */
  readonly subcharts: readonly Subchart[];
}

export interface Subchart {
  /** `charts/NAME` for a folder, `charts/FILE.tgz` for an archive; the folder need not be called like the chart. */
  readonly path: string;
  readonly isPacked: boolean;
  readonly chart: Chart;
}
