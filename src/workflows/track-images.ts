import type { BlobListener } from '../content/copy-job.ts';
import { countBlobBytes, type Graph } from '../content/read-graph.ts';
import type { Digest } from '../domain/oci/digest.ts';
import type { PartProgress, Progress } from './ports.ts';

/** An image, or other content of which the progress is shown by itself. */
export interface TrackedImage {
  readonly name: string;
  readonly graphs: readonly Graph[];
}

/**
 * Sets what there is to do, and shows each image by itself. A blob that several of them need counts for the first. The listener
 * takes what becomes of their blobs.
 */
export function trackImages(progress: Progress, images: readonly TrackedImage[]): BlobListener {
  progress.setTotalBytes(countBlobBytes(images.flatMap(({ graphs }) => graphs)));
  const parts = new Map<Digest, PartProgress>();
  for (const { name, graphs } of images) {
    const blobs = new Map(
      graphs.flatMap((graph) =>
        graph.blobs.filter(({ digest }) => !parts.has(digest)).map((blob) => [blob.digest, blob]),
      ),
    );
    if (blobs.size === 0) continue;
    const part = progress.addPart(name, sumSizes([...blobs.values()]));
    for (const digest of blobs.keys()) parts.set(digest, part);
  }
  return ({ digest }, sizeBytes, isSent) => {
    const part = parts.get(digest) ?? progress;
    if (isSent) part.addBytes(sizeBytes);
    else part.skipBytes(sizeBytes);
  };
}

function sumSizes(blobs: readonly { readonly size: number }[]): number {
  return blobs.reduce((sum, { size }) => sum + size, 0);
}
