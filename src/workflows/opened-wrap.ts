import type { Graph } from '../content/read-graph.ts';
import type { ReadableStore } from '../content/store.ts';
import type { ChartTree } from '../domain/chart/chart-tree.ts';
import { DtError } from '../domain/errors.ts';
import type { ImagesLock, LockImage } from '../domain/lock/images-lock.ts';
import type { RunContext } from './context.ts';

/** A wrap that is ready to be unwrapped. Must be closed. */
export interface OpenedWrap {
  readonly path: string;
  readonly chartTree: ChartTree;
  readonly lock: ImagesLock;
  /** Holds the content of all images. */
  readonly store: ReadableStore;
  /** What is to be pushed for an image of the lock. Throws DT_WRAP_INCOMPLETE if the wrap does not hold all of it. */
  readGraph(image: LockImage, context: RunContext): Promise<Graph>;
  /** True if children of the image's index were left out of the wrap. */
  isFiltered(image: LockImage): boolean;
  close(): Promise<void>;
}

/** The error for a wrap whose chart has no lock. */
export function missingLockError(path: string): DtError {
  return new DtError('DT_WRAP_INVALID', `${path} has no Images.lock, so its images are not known`);
}
