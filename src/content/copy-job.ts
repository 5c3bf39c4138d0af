import type { DtError } from '../domain/errors.ts';
import type { Graph } from './read-graph.ts';
import type { BlobOutcome, ReadableStore, WritableStore } from './store.ts';

/** One image (or artifact) that goes from one store to another, under the tags given. */
export interface CopyJob {
  readonly source: ReadableStore;
  readonly target: WritableStore;
  readonly graph: Graph;
  readonly tags: readonly string[];
  /** Its manifests are pushed when the target refuses those of the graph, for instance an index of which children are missing. */
  readonly fallback?: Graph | undefined;
}

export interface CopyOptions {
  /** Blobs on their way at the same time. */
  readonly concurrency: number;
  readonly signal?: AbortSignal | undefined;
  /** Called for every chunk that is written, and with the whole size of a blob that need not be sent. */
  readonly onBytes?: ((sizeBytes: number) => void) | undefined;
}

export interface CopySummary {
  readonly blobs: Readonly<Record<BlobOutcome, number>>;
  /** Bytes that were really sent. */
  readonly sentBytes: number;
  /** Jobs of which no root was written, each with its first failure. All others are complete. */
  readonly failures: ReadonlyMap<CopyJob, DtError>;
}
