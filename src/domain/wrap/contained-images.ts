import {
  listLockPlatforms,
  type ImagesLock,
  type LockChart,
  type LockImage,
  type LockPlatform,
} from '../lock/images-lock.ts';
import type { Digest } from '../oci/digest.ts';
import { wrapFolder, type WrapDocument, type WrappedImage } from './wrap-document.ts';

/** An image as the lock and, in a wrap of our own, `.dt/wrap.json` tell it. */
export interface ContainedImage {
  /** The chart or subchart that brings it; absent in a wrap of single images. */
  readonly chart?: string;
  readonly name: string;
  readonly reference: string;
  /** What the reference resolved to; absent where only the lock tells of the image. */
  readonly digest?: Digest;
  /** True if children of the index were left out. */
  readonly isFiltered?: boolean;
  readonly platforms: readonly LockPlatform[];
  /** Signatures and the like; absent where only the lock tells of the image. */
  readonly attachedCount?: number;
}

/** What `.dt/wrap.json` has for an image of the lock of a chart. */
export function findWrappedImage(
  document: WrapDocument | undefined,
  chart: LockChart,
  { chart: owner, name, image }: LockImage,
): WrappedImage | undefined {
  const folder = wrapFolder(chart);
  return document?.images.find(
    (other) =>
      other.chart === owner && other.name === name && other.reference === image && (other.folder ?? folder) === folder,
  );
}

/** The charts that locks are of; that of single images has none. */
export function listCharts(locks: readonly ImagesLock[]): { readonly name: string; readonly version: string }[] {
  return locks.flatMap(({ chart: { name, version } }) => (name === '' ? [] : [{ name, version }]));
}

/** The images of locks, with what the wrap knows of them. */
export function listContainedImages(
  locks: readonly ImagesLock[],
  document: WrapDocument | undefined,
): ContainedImage[] {
  return locks.flatMap(({ chart, images }) =>
    images.map((image) => describeImage(image, findWrappedImage(document, chart, image))),
  );
}

function describeImage(image: LockImage, wrapped: WrappedImage | undefined): ContainedImage {
  return {
    ...(image.chart === '' ? {} : { chart: image.chart }),
    name: image.name,
    reference: image.image,
    ...(wrapped?.digest === undefined ? {} : { digest: wrapped.digest }),
    ...(wrapped?.isFiltered === true ? { isFiltered: true } : {}),
    platforms: listLockPlatforms(image),
    ...(wrapped?.digest === undefined ? {} : { attachedCount: wrapped.attached?.length ?? 0 }),
  };
}
