import type { ChartTree } from '../domain/chart/chart-tree.ts';

/** A file outside of the chart with values that win over its own. */
export interface ValuesFile {
  /** What messages call it. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** How a chart is rendered. */
export interface RenderOptions {
  /** Later ones win (`helm template -f`). */
  readonly valuesFiles: readonly ValuesFile[];
  /** `KEY=VALUE` as `helm template --set` takes it. */
  readonly set: readonly string[];
  /** Default: what Helm was built for. */
  readonly kubeVersion?: string | undefined;
  /** What the cluster is said to know beside the usual (`--api-versions`). */
  readonly apiVersions: readonly string[];
}

export interface RenderInput extends RenderOptions {
  readonly tree: ChartTree;
  /** Another number renders the same once more, to see what no input decides. */
  readonly attempt?: number | undefined;
}
