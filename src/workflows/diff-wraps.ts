import { LARGE_ENTRY_BYTES } from '../archive/wrap-plan.ts';
import { listGraphs } from '../content/image-content.ts';
import { DtError } from '../domain/errors.ts';
import { listLockPlatforms, type LockImage } from '../domain/lock/images-lock.ts';
import type { Digest } from '../domain/oci/digest.ts';
import {
  compareWraps,
  type ComparedBlob,
  type ComparedWrap,
  type WrapDifference,
} from '../domain/wrap/compare-wraps.ts';
import { listCharts } from '../domain/wrap/contained-images.ts';
import type { WrapDocument } from '../domain/wrap/wrap-document.ts';
import type { RunContext } from './context.ts';
import { inspectWrap, type WrapInformation } from './inspect-wrap.ts';
import { openWrap } from './opening/open-wrap.ts';

export interface DiffWrapsResult extends WrapDifference {
  readonly oldFile: string;
  readonly newFile: string;
}

/**
 * Compares two wraps. Of our own only the table of contents and the first entries are read; one of the Go tool is gone through. Throws
 * DT_USAGE for what holds no images, and as `inspectWrap` and `openWrap`.
 */
export async function diffWraps(oldFile: string, newFile: string, context: RunContext): Promise<DiffWrapsResult> {
  const [before, after] = [await readWrap(oldFile, context), await readWrap(newFile, context)];
  return { oldFile, newFile, ...compareWraps(before, after) };
}

async function readWrap(file: string, context: RunContext): Promise<ComparedWrap> {
  const information = await inspectWrap(file, [], context.signal);
  if (information.sizeBytes === undefined) throw new DtError('DT_USAGE', `${file} is a folder, not a wrap`);
  const { locks, document } = information;
  const images = listImages(information);
  if (locks.some(({ lock }) => lock.images.length > 0) && images.every(({ platforms }) => platforms.length === 0)) {
    throw new DtError('DT_USAGE', `${file} names images, but their digests are not known`);
  }
  return {
    charts: listCharts(locks.map(({ lock }) => lock)),
    images,
    blobs: document === undefined ? await scanBlobs(file, context) : listBlobs(document),
  };
}

function listImages({ locks, document }: WrapInformation): ComparedWrap['images'] {
  if (document !== undefined) {
    return document.images.map(({ reference, digest, platforms }) => ({
      reference,
      ...(digest === undefined ? {} : { digest }),
      platforms,
    }));
  }
  return locks.flatMap(({ lock }) => lock.images.map(toImage));
}

function toImage(image: LockImage): ComparedWrap['images'][number] {
  return { reference: image.image, platforms: listLockPlatforms(image) };
}

function listBlobs({ blobs, charts }: WrapDocument): ComparedBlob[] {
  const ofCharts = new Set(
    charts.flatMap(({ archive, provenance, manifest, config }) => [archive, provenance, manifest, config]),
  );
  return blobs.map(({ digest, size }) => ({ digest, size, isOmittable: isLarge(size) && !ofCharts.has(digest) }));
}

async function scanBlobs(file: string, context: RunContext): Promise<ComparedBlob[]> {
  const wrap = await openWrap(file, context);
  try {
    const blobs = new Map<Digest, ComparedBlob>();
    const add = ({ digest, size }: { readonly digest: Digest; readonly size: number }): void => {
      blobs.set(digest, { digest, size, isOmittable: isLarge(size) });
    };
    for (const folder of wrap.folders) {
      for (const image of folder.lock.images) {
        for (const graph of listGraphs(await folder.readImage(image, context))) {
          for (const { descriptor } of [graph.root, ...graph.manifests]) add(descriptor);
          for (const blob of graph.blobs) add(blob);
        }
      }
    }
    return [...blobs.values()];
  } finally {
    await wrap.close();
  }
}

function isLarge(sizeBytes: number): boolean {
  return sizeBytes >= LARGE_ENTRY_BYTES;
}
