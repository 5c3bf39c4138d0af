import type { DtError } from '../domain/errors.ts';
import type { Descriptor } from '../domain/oci/descriptor.ts';
import type { Digest } from '../domain/oci/digest.ts';
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
  /** Blobs that the source does not hold, each with another store that does. */
  readonly elsewhere?: ReadonlyMap<Digest, ReadableStore & WritableStore> | undefined;
}

/** Hears the size of every chunk that is written (`isSent`), and the whole size of a blob that need not be. */
export type BlobListener = (blob: Descriptor, sizeBytes: number, isSent: boolean) => void;

export interface CopyOptions {
  /** Blobs on their way at the same time. */
  readonly concurrency: number;
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: BlobListener | undefined;
  /** Jobs of which only the blobs are copied now, because their source is read once. Their failures count when they are copied. */
  readonly companions?: readonly CopyJob[];
}

export interface CopySummary {
  readonly blobs: Readonly<Record<BlobOutcome, number>>;
  /** Bytes that were really sent. */
  readonly sentBytes: number;
  /** Jobs of which no root was written, each with its first failure. All others are complete. */
  readonly failures: ReadonlyMap<CopyJob, DtError>;
}
