import { copyGraphs, findTag } from '../../content/copy-graph.ts';
import type { CopyJob, CopySummary } from '../../content/copy-job.ts';
import type { RegistryStore } from '../../content/registry-store.ts';
import type { ReadableStore, WritableStore } from '../../content/store.ts';
import { contentTags, repositoryBasedTags } from '../../domain/carvel/bundle-tags.ts';
import type { PinnedReference } from '../../domain/carvel/pinned-reference.ts';
import { DtError } from '../../domain/errors.ts';
import { formatBytes, formatCount, formatDuration } from '../../domain/format-quantity.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import { combineFailures, listFailures, toOutcome, tryAll } from '../collect-failures.ts';
import type { RunContext } from '../context.ts';
import { requirePushPermission } from '../preflight.ts';
import { openRepository } from '../registry-stores.ts';
import { trackImages } from '../track-images.ts';
import { pushAttached } from '../unwrapping/push-attached.ts';
import { nameCarried, type CarriedImage } from './carried-image.ts';
import { placeImages, type PlacedImage, type TargetOptions } from './place-images.ts';
import { pushLocations } from './push-locations.ts';

/** What a copy to a repository has done. */
export interface RepositoryCopy {
  readonly placed: readonly PlacedImage[];
  readonly summary: Pick<CopySummary, 'blobs' | 'sentBytes'>;
}

/**
 * Copies images with all that they need into the target, then the lists of places of their bundles, then the tag of the one that was
 * asked for: whoever finds the tag finds everything. What is there is not sent again. Throws what registries say; one error names all that failed.
 */
export async function copyToRepository(
  images: readonly CarriedImage[],
  target: TargetOptions,
  context: RunContext,
): Promise<RepositoryCopy> {
  const placed = placeImages(images, target);
  await requirePushPermission(
    placed.map(({ place }) => place),
    context,
  );
  const summary = await copyImages(placed, target, context);
  await pushTags(placed, context);
  await pushLocations(placed, target, context);
  await tagRoots(placed, context);
  await verifyPlaced(placed, target, context);
  return { placed, summary };
}

async function copyImages(
  placed: readonly PlacedImage[],
  target: TargetOptions,
  context: RunContext,
): Promise<RepositoryCopy['summary']> {
  const { reporter, concurrency, signal } = context;
  const startedAt = performance.now();
  return reporter.step(
    'Copying images',
    async (progress) => {
      const jobs = placed.map((item) => toJob(item, target, context));
      const onBytes = trackImages(
        progress,
        placed.map(({ image }) => ({ name: nameCarried(image), graphs: [image.graph] })),
      );
      const { failures, blobs, sentBytes } = await copyGraphs(jobs, { concurrency, signal, onBytes });
      const failed = listFailures(
        placed,
        jobs.map((job) => toOutcome(failures.get(job))),
        ({ image }) => nameCarried(image),
      );
      if (failed.length > 0) throw combineFailures(failed, { totalCount: placed.length, verb: 'copied' });
      return { blobs, sentBytes };
    },
    ({ sentBytes }) =>
      `${formatCount(placed.length, 'image')}, ${formatBytes(sentBytes)} sent in ${formatDuration(performance.now() - startedAt)}`,
  );
}

/** The tags that keep an image alive in its new place. */
function listContentTags(
  { image: { reference } }: PlacedImage,
  { isRepositoryBased = false }: TargetOptions,
): string[] {
  const { digest, repository } = reference;
  return isRepositoryBased ? repositoryBasedTags(repository, digest) : contentTags(digest);
}

function toJob(item: PlacedImage, options: TargetOptions, context: RunContext): CopyJob {
  const { graph, store: source } = item.image;
  const target = openRepository(context, item.place, 'push');
  const elsewhere = isSibling(source, target) ? new Map(graph.blobs.map(({ digest }) => [digest, source])) : undefined;
  return { source, target, graph, tags: listContentTags(item, options), elsewhere };
}

/** A registry takes blobs over from one of its repositories by itself. */
function isSibling(source: ReadableStore, target: RegistryStore): source is ReadableStore & WritableStore {
  return 'mountScope' in source && source.mountScope === target.mountScope;
}

/** The tags of signatures; what others have put there stays. */
async function pushTags(placed: readonly PlacedImage[], context: RunContext): Promise<void> {
  const attached = placed.flatMap(({ image, place }) => {
    const { artifact, graph, store } = image;
    if (artifact?.tag === undefined) return [];
    return [{ image: nameCarried(image), source: store, target: place, attached: [{ artifact, graph }] }];
  });
  const failures = await pushAttached(attached, {}, context);
  if (failures.length > 0) throw combineFailures(failures, { totalCount: attached.length, verb: 'copied' });
}

async function tagRoots(placed: readonly PlacedImage[], context: RunContext): Promise<void> {
  const { reporter, signal } = context;
  for (const { image, place } of placed) {
    if (!image.isRoot || image.tag === undefined) continue;
    const store = openRepository(context, place, 'push');
    const { root } = image.graph;
    const previous = await findTag(store, image.tag, signal);
    if (previous === root.descriptor.digest) continue;
    if (previous !== undefined) reporter.warn(`overwriting ${store.name}:${image.tag} (was ${previous})`);
    await store.writeManifest(root, [image.tag], signal);
  }
}

/** Throws DT_DIGEST_MISMATCH for an image that is not what was written. */
async function verifyPlaced(
  placed: readonly PlacedImage[],
  options: TargetOptions,
  context: RunContext,
): Promise<void> {
  await context.reporter.step(
    'Verifying images',
    async () => {
      const outcomes = await tryAll(placed, context, async (item, signal) => {
        const { image, place } = item;
        const { digest } = image.graph.root.descriptor;
        const [tag = digest] = [
          ...(image.isRoot && image.tag !== undefined ? [image.tag] : []),
          ...listContentTags(item, options),
        ];
        await requireDigest(openRepository(context, place, 'push'), tag, digest, signal);
      });
      const failures = listFailures(placed, outcomes, ({ image }) => nameCarried(image));
      if (failures.length > 0) throw combineFailures(failures, { totalCount: placed.length, verb: 'verified' });
    },
    () => `${formatCount(placed.length, 'digest')} identical in the target`,
  );
}

async function requireDigest(
  store: RegistryStore,
  tag: string,
  digest: PinnedReference['digest'],
  signal: AbortSignal,
): Promise<void> {
  const found: Digest | undefined = await findTag(store, tag, signal);
  if (found === digest) return;
  throw new DtError(
    'DT_DIGEST_MISMATCH',
    `${store.name}:${tag} is ${found ?? 'missing'} after the copy, not ${digest}`,
    {
      side: 'destination',
    },
  );
}
