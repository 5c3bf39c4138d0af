import type { AttachedGraph } from '../../content/image-content.ts';
import type { ChartMetadata } from '../../domain/chart/chart-metadata.ts';
import type { ChartOrigin } from '../../domain/chart/chart-origin.ts';
import type { ChartTree } from '../../domain/chart/chart-tree.ts';
import type { ChartDiscovery } from '../../domain/discovery/discovery-document.ts';
import { LOCK_FILE_NAME, type LockImage } from '../../domain/lock/images-lock.ts';
import { CHART_FOLDER } from '../../domain/wrap/wrap-document.ts';
import type { ImageToWrap } from './layout-writer.ts';

/** An image that a light wrap only names. */
export interface NamedImage {
  readonly lockImage: LockImage;
}

/** A chart as it goes into a wrap. */
export interface ChartToWrap {
  readonly metadata: ChartMetadata;
  readonly tree: ChartTree;
  readonly origin: ChartOrigin;
  /** What is attached to the manifest that the chart has in its registry. */
  readonly attached: readonly AttachedGraph[];
  /** Why each image is there. */
  readonly discovery: ChartDiscovery;
}

/** One top folder of a wrap: a chart with its images, or images alone. */
export interface WrapFolder {
  /** Its name, for instance `contour-19.3.2`. */
  readonly name: string;
  /** Absent in a wrap of single images. */
  readonly chart?: ChartToWrap;
  readonly lockText: string;
  readonly images: readonly (ImageToWrap | NamedImage)[];
}

/** The path of the lock of a folder: in the chart, or at the top where there is none. */
export function lockPath(folder: string, hasChart: boolean): string {
  return hasChart ? `${folder}/${CHART_FOLDER}/${LOCK_FILE_NAME}` : `${folder}/${LOCK_FILE_NAME}`;
}
