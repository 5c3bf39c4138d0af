import type { Graph } from '../../content/read-graph.ts';
import type { LockImage } from '../../domain/lock/images-lock.ts';
import { manifestSuccessors, parseManifest } from '../../domain/oci/manifest.ts';

/** An image of a lock with what was gathered of it. */
interface LockedGraph {
  readonly lockImage: LockImage;
  readonly graph: Graph;
}

/** The platforms of the lock, each of which gets a layout of its own, as the Go tool has it. */
export function listPlatformGraphs({ lockImage, graph }: LockedGraph): Graph[] {
  const contents = new Map([graph.root, ...graph.manifests].map((content) => [content.descriptor.digest, content]));
  const available = new Set(graph.blobs.map(({ digest }) => digest));
  return lockImage.digests.flatMap(({ digest }) => {
    const root = contents.get(digest);
    if (root === undefined) return [];
    const blobs = manifestSuccessors(parseManifest(root)).filter((blob) => available.has(blob.digest));
    return [{ root, manifests: [], blobs }];
  });
}

/** True if the root is an index, for which there is a layout besides those of the platforms. */
export function hasIndexLayout({ lockImage, graph }: LockedGraph): boolean {
  return lockImage.digests.every(({ digest }) => digest !== graph.root.descriptor.digest);
}
