import { DtError } from '../domain/errors.ts';
import type { Descriptor, ManifestContent } from '../domain/oci/descriptor.ts';
import type { Digest } from '../domain/oci/digest.ts';
import { manifestSuccessors, parseManifest } from '../domain/oci/manifest.ts';
import { isIndexMediaType, isManifestMediaType, isNonDistributable } from '../domain/oci/media-types.ts';
import { mapConcurrently } from './map-concurrently.ts';
import { retryMismatch } from './retry-mismatch.ts';
import type { ReadableStore } from './store.ts';

/** Indexes may hold indexes; deeper than this is an attack or a mistake. */
export const MAX_INDEX_DEPTH = 8;
/** Manifests are held in memory: an index of indexes could name millions of them. */
const MAX_MANIFESTS = 20_000;
const MAX_MANIFESTS_BYTES = 128 * 1024 * 1024;

/** Everything that a manifest or index needs, each thing once. */
export interface Graph {
  readonly root: ManifestContent;
  /** All manifests below the root, children before their parents. */
  readonly manifests: readonly ManifestContent[];
  /** Configs and layers; non-distributable layers only where they were asked for. */
  readonly blobs: readonly Descriptor[];
}

export interface ReadGraphOptions {
  readonly concurrency: number;
  readonly signal?: AbortSignal | undefined;
  /** Which children of an index are taken; all by default. */
  readonly selectChild?: (child: Descriptor) => boolean;
  /** Which non-distributable layers are taken; none by default. */
  readonly selectNonDistributable?: (layer: Descriptor) => boolean;
}

/**
 * Walks from a root manifest to everything it points to, each manifest read once and many in parallel.
 * Throws DT_MANIFEST_INVALID, DT_LIMIT_EXCEEDED, DT_SIZE_MISMATCH, and what the store throws.
 */
export async function readGraph(
  store: ReadableStore,
  root: ManifestContent,
  options: ReadGraphOptions,
): Promise<Graph> {
  const manifests = new Map<Digest, ManifestContent>();
  const blobs = new Map<Digest, Descriptor>();
  let plannedManifests = 0;
  let plannedBytes = 0;

  const planReads = (children: readonly Descriptor[]): readonly Descriptor[] => {
    const unread = new Map(
      children.filter((child) => !manifests.has(child.digest)).map((child) => [child.digest, child]),
    );
    for (const { size } of unread.values()) plannedBytes += size;
    plannedManifests += unread.size;
    if (plannedManifests > MAX_MANIFESTS || plannedBytes > MAX_MANIFESTS_BYTES) {
      throw new DtError(
        'DT_LIMIT_EXCEEDED',
        `index ${root.descriptor.digest} leads to more than ${String(MAX_MANIFESTS)} manifests or ${String(MAX_MANIFESTS_BYTES)} bytes of them`,
      );
    }
    return [...unread.values()];
  };
  const visit = async (content: ManifestContent, depth: number): Promise<void> => {
    if (depth > MAX_INDEX_DEPTH) {
      throw new DtError(
        'DT_MANIFEST_INVALID',
        `index ${root.descriptor.digest} is nested deeper than ${String(MAX_INDEX_DEPTH)}`,
      );
    }
    const manifest = parseManifest(content);
    if (manifest.kind === 'manifest') {
      for (const blob of manifestSuccessors(manifest)) {
        if (isNonDistributable(blob.mediaType) && options.selectNonDistributable?.(blob) !== true) continue;
        blobs.set(blob.digest, blob);
      }
      return;
    }
    const children = manifest.manifests.filter((child) => options.selectChild?.(child) ?? true);
    for (const child of children) if (!isManifest(child)) blobs.set(child.digest, child);
    const unread = planReads(children.filter(isManifest));
    const contents = await mapConcurrently(unread, options, async (child, signal) => readChild(store, child, signal));
    for (const child of contents) {
      await visit(child, depth + 1);
      manifests.set(child.descriptor.digest, child);
    }
  };
  await visit(root, 0);
  manifests.delete(root.descriptor.digest);
  return { root, manifests: [...manifests.values()], blobs: [...blobs.values()] };
}

function isManifest(descriptor: Descriptor): boolean {
  return isManifestMediaType(descriptor.mediaType) || isIndexMediaType(descriptor.mediaType);
}

async function readChild(store: ReadableStore, child: Descriptor, signal: AbortSignal): Promise<ManifestContent> {
  const content = await retryMismatch(store, async (bypassesCaches) =>
    store.readManifest(child.digest, { signal, bypassesCaches }),
  );
  if (content.bytes.length !== child.size) {
    throw new DtError(
      'DT_SIZE_MISMATCH',
      `manifest ${child.digest} from ${store.name} does not have the size that its index says`,
    );
  }
  return { descriptor: child, bytes: content.bytes };
}

/** The size of the root and of all manifests below it. */
export function countManifestBytes({ root, manifests }: Pick<Graph, 'root' | 'manifests'>): number {
  return [root, ...manifests].reduce((sum, { bytes }) => sum + bytes.length, 0);
}

/** The size of all configs and layers of the graphs, each counted once. */
export function countBlobBytes(graphs: readonly Graph[]): number {
  const sizes = new Map(graphs.flatMap((graph) => graph.blobs.map((blob) => [blob.digest, blob.size])));
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
