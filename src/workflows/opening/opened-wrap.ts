import type { ImageContent } from '../../content/image-content.ts';
import type { AttachedGraph } from '../../content/image-content.ts';
import { isSequentialStore, type ReadableStore } from '../../content/store.ts';
import type { ChartOrigin } from '../../domain/chart/chart-origin.ts';
import type { ChartTree } from '../../domain/chart/chart-tree.ts';
import { DtError } from '../../domain/errors.ts';
import type { ImagesLock, LockImage } from '../../domain/lock/images-lock.ts';
import type { WrapDocument } from '../../domain/wrap/wrap-document.ts';
import type { RunContext } from '../context.ts';

/** A chart of a wrap. */
export interface OpenedChart {
  readonly tree: ChartTree;
  /** What the chart came as; empty where the wrap does not say. Throws the codes of damaged wraps. */
  readOrigin(context: RunContext): Promise<ChartOrigin>;
  /** What is attached to the chart's own manifest. */
  readAttached(context: RunContext): Promise<readonly AttachedGraph[]>;
}

/** One top folder of a wrap: a chart with the lock of its images, or a lock alone. */
export interface OpenedFolder {
  readonly name: string;
  /** Absent in a wrap of single images. */
  readonly chart?: OpenedChart;
  readonly lock: ImagesLock;
  /** True if the wrap has the content of the images, as far as it says; a light wrap has not. */
  readonly hasContent: boolean;
  /** What is to be pushed for an image of the lock. Throws DT_WRAP_INCOMPLETE if the wrap does not hold all of it. */
  readImage(image: LockImage, context: RunContext): Promise<ImageContent>;
}

/** A wrap that is ready to be unwrapped. Must be closed. */
export interface OpenedWrap {
  readonly path: string;
  readonly folders: readonly OpenedFolder[];
  /** Holds the content of all images. */
  readonly store: ReadableStore;
  /** What the wrap says of itself; only our own format does. */
  readonly document?: WrapDocument;
  close(): Promise<void>;
}

/** The error for a wrap whose chart has no lock. */
export function missingLockError(path: string): DtError {
  return new DtError('DT_WRAP_INVALID', `${path} has no Images.lock, so its images are not known`);
}

/** Throws the codes of damaged wraps unless all of a wrap that comes as a stream has come, and is sound. */
export async function finishReading({ store }: Pick<OpenedWrap, 'store'>): Promise<void> {
  if (isSequentialStore(store)) await store.finish?.();
}
