import { AttachedFinder } from '../../content/find-attached.ts';
import { listGraphs, type AttachedGraph, type ImageContent } from '../../content/image-content.ts';
import { readGraph, type Graph, type ReadGraphOptions } from '../../content/read-graph.ts';
import type { RegistryStore } from '../../content/registry-store.ts';
import type { ReadableStore } from '../../content/store.ts';
import { mapConcurrently } from '../../content/map-concurrently.ts';
import { retryMismatch } from '../../content/retry-mismatch.ts';
import type { ChartMetadata } from '../../domain/chart/chart-metadata.ts';
import { chartTag } from '../../domain/chart/chart-manifest.ts';
import type { ChartOrigin } from '../../domain/chart/chart-origin.ts';
import { isSameLockImage, type LockImage } from '../../domain/lock/images-lock.ts';
import { findKeptManifests } from '../../domain/lock/lock-platforms.ts';
import type { AttachedArtifact } from '../../domain/oci/attached-artifact.ts';
import { manifestSuccessors, parseManifest } from '../../domain/oci/manifest.ts';
import { isNonDistributable } from '../../domain/oci/media-types.ts';
import { parseReference } from '../../domain/oci/reference.ts';
import { combineFailures, listFailures, tryAll } from '../collect-failures.ts';
import type { RunContext } from '../context.ts';
import type { LockedImages } from '../locking/lock-images.ts';
import { openRepository } from '../registry-stores.ts';
import type { SourceImage } from '../locking/resolve-images.ts';

/** An image of a lock with the repository that its blobs come from. */
export interface GatheredImage extends ImageContent {
  readonly lockImage: LockImage;
  readonly store: ReadableStore;
}

/** What is to be fetched from one repository: an image, or what is attached to a chart. */
export interface GatheredContent {
  /** What messages call it. */
  readonly name: string;
  readonly store: ReadableStore;
  readonly graphs: readonly [Graph, ...Graph[]];
}

export interface GatherOptions {
  /** Leave out signatures, attestations and what else is attached to the images. */
  readonly skipAttached?: boolean;
  /** Take layers that may not be distributed. */
  readonly includeNonDistributable?: boolean;
}

/**
 * Reads every manifest that the wrap needs, lock by lock: those of its images, the attestations that describe them, and what is
 * attached to them. All images are tried: one error names all that failed.
 */
export async function gatherImages(
  locks: readonly Pick<LockedImages, 'lock' | 'sources'>[],
  options: GatherOptions,
  context: RunContext,
): Promise<GatheredImage[][]> {
  const finders = new AttachedFinders();
  const wanted = locks.flatMap(({ lock, sources }, position) => sources.map((source) => ({ lock, source, position })));
  const outcomes = await tryAll(wanted, context, async ({ lock, source, position }, signal) => {
    const lockImage = lock.images.find((candidate) => isSameLockImage(candidate, source.image));
    if (lockImage === undefined) throw new TypeError(`${source.image.image} is not in the lock`);
    const graphOptions: ReadGraphOptions = {
      concurrency: context.concurrency,
      signal,
      selectNonDistributable: () => options.includeNonDistributable === true,
    };
    const kept = findKeptManifests(source.resolved, lockImage.digests);
    const graph = await readGraph(source.store, source.root, {
      ...graphOptions,
      selectChild: (child) => kept === undefined || kept.has(child.digest),
    });
    const attached =
      options.skipAttached === true
        ? []
        : await readAttached(finders.of(source.store), source, graph, graphOptions, context);
    return { position, image: { lockImage, graph, isFiltered: kept !== undefined, attached, store: source.store } };
  });
  const failures = listFailures(wanted, outcomes, ({ source }) => source.image.image);
  if (failures.length > 0) throw combineFailures(failures, { totalCount: wanted.length, verb: 'pulled' });
  const gathered = outcomes.flatMap((outcome) => ('result' in outcome ? [outcome.result] : []));
  if (options.includeNonDistributable !== true) {
    warnOfAbsentLayers(
      gathered.map(({ image }) => image),
      context,
    );
  }
  return locks.map((_, position) => gathered.filter((item) => item.position === position).map(({ image }) => image));
}

/** Layers that only their URLs give are left out unless they were asked for. */
function warnOfAbsentLayers(images: readonly GatheredImage[], { reporter }: RunContext): void {
  const affected = images.filter(({ graph: { root, manifests } }) =>
    [root, ...manifests].some((content) =>
      manifestSuccessors(parseManifest(content)).some(({ mediaType }) => isNonDistributable(mediaType)),
    ),
  );
  if (affected.length === 0) return;
  reporter.warn(
    `layers that may not be distributed are left out of ${affected.map(({ lockImage }) => lockImage.image).join(', ')} (--include-non-distributable-layers takes them along)`,
  );
}

/** One for each repository: what it was asked for is asked once for all its images. */
class AttachedFinders {
  readonly #finders = new Map<string, AttachedFinder>();

  of(store: RegistryStore): AttachedFinder {
    const finder = this.#finders.get(store.name) ?? new AttachedFinder(store);
    this.#finders.set(store.name, finder);
    return finder;
  }
}

/** What is attached to the root of a graph and to everything below it, with its content. */
async function readAttached(
  finder: AttachedFinder,
  { store, image }: Pick<SourceImage, 'store' | 'image'>,
  graph: Graph,
  options: ReadGraphOptions,
  context: RunContext,
): Promise<AttachedGraph[]> {
  const subjects = [graph.root, ...graph.manifests].map(({ descriptor }) => descriptor.digest);
  const { tag } = parseReference(image.image);
  return readArtifacts(store, await finder.find(subjects, { ...options, imageTag: tag }), options, context);
}

/** What is attached to the manifest of a chart from a registry, among it the metadata of the Go dt. */
export async function gatherChartArtifacts(
  { version }: Pick<ChartMetadata, 'version'>,
  { repository, manifest }: ChartOrigin,
  context: RunContext,
): Promise<AttachedGraph[]> {
  if (repository === undefined || manifest === undefined) return [];
  const store = openRepository(context, repository);
  const options = { concurrency: context.concurrency, signal: context.signal };
  const subjects = [manifest.descriptor.digest];
  const artifacts = await new AttachedFinder(store).find(subjects, { ...options, imageTag: chartTag(version) });
  return readArtifacts(store, artifacts, options, context);
}

/** A registry lists what it likes: a referrer whose manifest names another subject is none. */
export async function readArtifacts(
  store: RegistryStore,
  artifacts: readonly AttachedArtifact[],
  options: ReadGraphOptions,
  { reporter }: RunContext,
): Promise<AttachedGraph[]> {
  const attached = await mapConcurrently(artifacts, options, async (artifact, signal): Promise<AttachedGraph[]> => {
    const root = await retryMismatch(store, async (bypassesCaches) =>
      store.readManifest(artifact.digest, { signal, bypassesCaches }),
    );
    if (artifact.tag === undefined && parseManifest(root).subject?.digest !== artifact.subject) {
      reporter.warn(
        `${store.name} lists ${artifact.digest} as a referrer of ${artifact.subject}, which it is not: left out`,
      );
      return [];
    }
    return [{ artifact, graph: await readGraph(store, root, { ...options, signal }) }];
  });
  return attached.flat();
}

export function toImageContent(image: GatheredImage): GatheredContent {
  return { name: image.lockImage.image, store: image.store, graphs: listGraphs(image) };
}
