import type { AttachedArtifact } from '../domain/oci/attached-artifact.ts';
import type { Graph } from './read-graph.ts';

/** An attached artifact with everything that it needs. */
export interface AttachedGraph {
  readonly artifact: AttachedArtifact;
  readonly graph: Graph;
}

/** An image with what is attached to it. */
export interface ImageContent {
  readonly graph: Graph;
  /** True if children of the index were left out. */
  readonly isFiltered: boolean;
  /** True if the index is not that of the source but one of ours, as the wrap does not have it. */
  readonly isRebuilt?: boolean;
  readonly attached: readonly AttachedGraph[];
}

/** The graph of the image, then those of what is attached to it. */
export function listGraphs({ graph, attached }: Pick<ImageContent, 'graph' | 'attached'>): [Graph, ...Graph[]] {
  return [graph, ...attached.map((item) => item.graph)];
}
