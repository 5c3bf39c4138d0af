import type { AttachedGraph } from '../../content/image-content.ts';
import { readConfigPlatform } from '../../content/read-leaves.ts';
import type { Graph } from '../../content/read-graph.ts';
import type { ImagesLock, LockImage } from '../../domain/lock/images-lock.ts';
import type { AttachedArtifact } from '../../domain/oci/attached-artifact.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import { parseManifest } from '../../domain/oci/manifest.ts';
import { formatArch, type Platform } from '../../domain/oci/platform.ts';
import { groupWrappedImages, keyOfImage } from '../../domain/wrap/check-wrap-lock.ts';
import type { WrappedImage } from '../../domain/wrap/wrap-document.ts';
import { checkGraph, checkGraphContent, type GraphCheck } from './check-graph.ts';
import { GoArtifacts } from '../opening/go-artifacts.ts';
import { rebuildImageGraph } from '../opening/rebuild-index.ts';
import { tryCheck } from './try-check.ts';

/** An image of a lock with what the wrap has of it. */
export interface CheckedImage {
  readonly lockImage: LockImage;
  /** Absent for one that is only named, or of which too much is missing. */
  readonly graph?: Graph;
  /** True if the index is not that of the source but one of ours, as the wrap does not have it. */
  readonly isRebuilt: boolean;
  readonly attached: readonly AttachedGraph[];
}

/** The images of a folder of our own wraps. */
export async function checkWrappedImages(
  lock: ImagesLock,
  images: readonly WrappedImage[],
  check: GraphCheck,
): Promise<CheckedImage[]> {
  const checked: CheckedImage[] = [];
  const wrapped = groupWrappedImages(images);
  for (const lockImage of lock.images) {
    check.signal.throwIfAborted();
    const image = wrapped.get(keyOfImage(lockImage));
    if (image?.digest === undefined) {
      checked.push({ lockImage, isRebuilt: false, attached: [] });
      continue;
    }
    const owner = { image: lockImage.image, isFiltered: image.isFiltered === true };
    const graph = await checkGraph(image.digest, owner, check);
    if (graph !== undefined)
      await tryCheck(async () => checkLocked(graph, lockImage, check), { image: lockImage.image }, check);
    const attached = await checkAttached(image.attached ?? [], graph, lockImage.image, check);
    checked.push({ lockImage, ...(graph === undefined ? {} : { graph }), isRebuilt: false, attached });
  }
  return checked;
}

/** The images of a wrap of the Go tool, which knows nothing but their platforms. */
export async function checkGoImages(
  lock: ImagesLock,
  artifacts: ReadonlyMap<string, Buffer>,
  check: GraphCheck,
): Promise<CheckedImage[]> {
  const { content, damages, signal } = check;
  // The content is in memory.
  const context = { signal, concurrency: 1 };
  const goArtifacts = new GoArtifacts(content, artifacts);
  const checked: CheckedImage[] = [];
  for (const lockImage of lock.images) {
    check.signal.throwIfAborted();
    const { image, digests } = lockImage;
    for (const { digest } of digests) damages.addImage(digest, image);
    const missing = digests.filter(({ digest }) => !content.has(digest));
    for (const { digest } of missing) damages.addMissing(digest, 'the manifest is not in the wrap', image);
    const readGraph = async (): Promise<Graph> => {
      const graph = await rebuildImageGraph(content, lockImage, context);
      checkGraphContent(graph, { image }, check);
      return graph;
    };
    const graph = missing.length === 0 ? await tryCheck(readGraph, { image }, check) : undefined;
    const root = graph?.root.descriptor.digest ?? digests[0]?.digest;
    const readAttached = async (): Promise<AttachedGraph[]> => {
      const found = root === undefined ? [] : await goArtifacts.readForImage(lockImage, root, context);
      for (const item of found) checkGraphContent(item.graph, { image }, check);
      return found;
    };
    checked.push({
      lockImage,
      ...(graph === undefined ? {} : { graph }),
      isRebuilt: (graph?.manifests.length ?? 0) > 0,
      attached: (await tryCheck(readAttached, { image }, check)) ?? [],
    });
  }
  return checked;
}

/** What is attached to an image or chart is complete and belongs to it. `graph` is what it is attached to. */
export async function checkAttached(
  artifacts: readonly AttachedArtifact[],
  graph: Pick<Graph, 'root' | 'manifests'> | undefined,
  image: string | undefined,
  check: GraphCheck,
): Promise<AttachedGraph[]> {
  const attached: AttachedGraph[] = [];
  const subjects = new Set<Digest>([
    ...(graph === undefined ? [] : [graph.root, ...graph.manifests]).map(({ descriptor }) => descriptor.digest),
    ...artifacts.map(({ digest }) => digest),
  ]);
  for (const artifact of artifacts) {
    const { subject, digest } = artifact;
    const place = { digest, image };
    if (graph !== undefined && !subjects.has(subject)) {
      check.damages.add(
        'DT_MANIFEST_INVALID',
        `the artifact is attached to ${subject}, which does not belong to the image`,
        place,
      );
    }
    const found = await checkGraph(digest, { image, isAttached: true }, check);
    if (found === undefined) continue;
    const named = parseManifest(found.root).subject?.digest;
    if (named !== undefined && named !== subject) {
      check.damages.add(
        'DT_MANIFEST_INVALID',
        `the artifact is said to belong to ${subject} but names ${named}`,
        place,
      );
      continue;
    }
    attached.push({ artifact, graph: found });
  }
  return attached;
}

/** The content must be what the lock says, platform by platform. */
async function checkLocked(graph: Graph, lockImage: LockImage, check: GraphCheck): Promise<void> {
  const { image, digests } = lockImage;
  const { damages } = check;
  const platforms = await readPlatforms(graph, check);
  const present = new Set([graph.root, ...graph.manifests].map(({ descriptor }) => descriptor.digest));
  for (const { digest, arch } of digests) {
    const archs = platforms.get(digest);
    if (!present.has(digest)) {
      // Of a manifest that is damaged the image is known already.
      if (damages.addImage(digest, image)) continue;
      damages.add('DT_LOCK_MISMATCH', `${image} for ${arch} is not ${digest} as its lock says`, { digest, image });
    } else if (archs?.has(arch) === false) {
      const message = `${digest} is for ${[...archs].join(', ')}, not for ${arch} as the lock says`;
      damages.add('DT_LOCK_MISMATCH', message, { digest, image });
    }
  }
}

/** The `os/arch` that indexes tell, or the config of a single manifest. One manifest may be there for several. */
async function readPlatforms(graph: Graph, { content, signal }: GraphCheck): Promise<Map<Digest, Set<string>>> {
  const platforms = new Map<Digest, Set<string>>();
  const note = (digest: Digest, platform: Platform | undefined): void => {
    if (platform !== undefined) platforms.set(digest, (platforms.get(digest) ?? new Set()).add(formatArch(platform)));
  };
  const root = parseManifest(graph.root);
  if (root.kind === 'manifest' && content.has(root.config.digest)) {
    note(graph.root.descriptor.digest, await readConfigPlatform(content, root, signal));
  }
  for (const manifest of [root, ...graph.manifests.map(parseManifest)]) {
    if (manifest.kind !== 'index') continue;
    for (const { digest, platform } of manifest.manifests) note(digest, platform);
  }
  return platforms;
}
