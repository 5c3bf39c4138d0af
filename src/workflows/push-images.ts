import { copyGraphs, findTag, type CopyJob, type CopySummary } from '../content/copy-graph.ts';
import { mapConcurrently } from '../content/map-concurrently.ts';
import { countBlobBytes, type Graph } from '../content/read-graph.ts';
import type { RegistryStore } from '../content/registry-store.ts';
import { DtError } from '../domain/errors.ts';
import { formatBytes, formatCount, formatDuration } from '../domain/format-quantity.ts';
import type { LockImage } from '../domain/lock/images-lock.ts';
import type { ManifestContent } from '../domain/oci/descriptor.ts';
import type { Digest } from '../domain/oci/digest.ts';
import { filterIndex } from '../domain/oci/filter-index.ts';
import {
  DEFAULT_TAG,
  formatReference,
  parseReference,
  referenceIdentifier,
  type Reference,
} from '../domain/oci/reference.ts';
import { findRelocationCollisions, toCollisionError } from '../domain/relocation/relocation-collisions.ts';
import { relocateReference } from '../domain/relocation/relocate-reference.ts';
import type { RelocationPrefix } from '../domain/relocation/relocation-prefix.ts';
import type { RunContext } from './context.ts';
import type { OpenedWrap } from './opened-wrap.ts';
import { openRepository } from './registry-stores.ts';

/** An image of a wrap with the place it goes to. */
export interface ImagePush {
  readonly image: LockImage;
  readonly source: OpenedWrap['store'];
  /** Tag and digest as in the chart; an untagged reference gets `latest`. */
  readonly target: Reference;
  readonly graph: Graph;
  /** An index of the wrapped platforms only, for a registry that refuses the original without its other children. */
  readonly fallbackRoot: ManifestContent | undefined;
}

export interface PushSummary {
  /** Images whose tag was there with the right digest. */
  readonly presentImages: number;
  readonly pushedImages: number;
  readonly sentBytes: number;
  readonly blobs: CopySummary['blobs'];
}

const NOTHING_PUSHED: PushSummary = {
  presentImages: 0,
  pushedImages: 0,
  sentBytes: 0,
  blobs: { present: 0, mounted: 0, written: 0 },
};

/** What has to be pushed where. Throws DT_RELOCATION_COLLISION, and DT_WRAP_INCOMPLETE if the wrap lacks something. */
export async function planImagePushes(
  wrap: OpenedWrap,
  prefix: RelocationPrefix,
  context: RunContext,
): Promise<ImagePush[]> {
  const pushes = await mapConcurrently(wrap.lock.images, context, async (image): Promise<ImagePush> => {
    const reference = relocateReference(parseReference(image.image), prefix);
    const graph = await wrap.readGraph(image, context);
    const isNamed = reference.tag !== undefined || reference.digest !== undefined;
    return {
      image,
      source: wrap.store,
      target: isNamed ? reference : { ...reference, tag: DEFAULT_TAG },
      graph,
      fallbackRoot: wrap.isFiltered(image) && reference.digest === undefined ? filterRoot(graph) : undefined,
    };
  });
  refuseCollisions(pushes, prefix);
  return uniquePushes(pushes);
}

function filterRoot({ root, manifests }: Graph): ManifestContent {
  const present = new Set(manifests.map(({ descriptor }) => descriptor.digest));
  return filterIndex(root, (digest) => present.has(digest));
}

function refuseCollisions(pushes: readonly ImagePush[], prefix: RelocationPrefix): void {
  const digests = new Map(
    pushes.map(({ image, graph }) => [formatReference(parseReference(image.image)), graph.root.descriptor.digest]),
  );
  const references = pushes.map(({ image }) => parseReference(image.image));
  for (const collision of findRelocationCollisions(references, prefix)) {
    const found = new Set(collision.sources.map((source) => digests.get(formatReference(source))));
    if (found.size > 1) throw toCollisionError(collision);
  }
}

/** One image that a chart names twice is pushed once. */
function uniquePushes(pushes: readonly ImagePush[]): ImagePush[] {
  return [...new Map(pushes.map((push) => [formatReference(push.target), push])).values()];
}

/** Pushes the images, skipping those that are there, and reads every tag back. Throws DT_LOCK_MISMATCH. */
export async function pushImages(pushes: readonly ImagePush[], context: RunContext): Promise<PushSummary> {
  if (pushes.length === 0) return NOTHING_PUSHED;
  const { reporter } = context;
  const startedAt = performance.now();
  const summary = await reporter.step(
    'Pushing images',
    async (progress) => {
      const missing = await findMissing(pushes, context);
      progress.setTotalBytes(countBlobBytes(missing.map(({ push }) => push.graph)));
      const copied = await copyGraphs(missing.map(toJob), {
        concurrency: context.concurrency,
        signal: context.signal,
        onBytes: (sizeBytes) => {
          progress.addBytes(sizeBytes);
        },
      });
      return { presentImages: pushes.length - missing.length, pushedImages: missing.length, ...copied };
    },
    (done) =>
      `${formatCount(pushes.length, 'image')}, ${formatBytes(done.sentBytes)} sent in ${formatDuration(performance.now() - startedAt)}` +
      (done.presentImages === 0 ? '' : ` (${String(done.presentImages)} already there)`),
  );
  await reporter.step(
    'Verifying images',
    async () => verifyTargets(pushes, context),
    () => `${formatCount(pushes.length, 'image')} verified in the target`,
  );
  return summary;
}

interface MissingPush {
  readonly push: ImagePush;
  readonly store: RegistryStore;
}

async function findMissing(pushes: readonly ImagePush[], context: RunContext): Promise<MissingPush[]> {
  const found = await mapConcurrently(pushes, context, async (push, signal) => {
    const store = openRepository(context, push.target);
    const digest = await findTag(store, targetIdentifier(push), signal);
    return digest !== undefined && acceptedDigests(push).has(digest) ? undefined : { push, store };
  });
  return found.filter((item) => item !== undefined);
}

function toJob({ push, store }: MissingPush): CopyJob {
  const { source, graph, fallbackRoot, target } = push;
  return { source, target: store, graph, fallbackRoot, tags: target.tag === undefined ? [] : [target.tag] };
}

/** Content is addressed by its digest: a tag that has the right one has everything below it. */
async function verifyTargets(pushes: readonly ImagePush[], context: RunContext): Promise<void> {
  await mapConcurrently(pushes, context, async (push, signal) => {
    const { graph, target } = push;
    const digest = await findTag(openRepository(context, target), targetIdentifier(push), signal);
    if (digest === undefined || !acceptedDigests(push).has(digest)) {
      throw new DtError(
        'DT_LOCK_MISMATCH',
        `${formatReference(target)} is ${digest ?? 'missing'} after the push instead of ${graph.root.descriptor.digest}`,
        { side: 'destination' },
      );
    }
    if (digest !== graph.root.descriptor.digest) {
      context.reporter.warn(
        `${formatReference(target)} is the index ${digest}: the registry refused the original ${graph.root.descriptor.digest} without all its platforms; its signatures do not apply`,
      );
    }
  });
}

function targetIdentifier({ target }: ImagePush): string {
  return target.tag ?? referenceIdentifier(target);
}

function acceptedDigests({ graph, fallbackRoot }: ImagePush): ReadonlySet<Digest> {
  return new Set(
    [graph.root, ...(fallbackRoot === undefined ? [] : [fallbackRoot])].map(({ descriptor }) => descriptor.digest),
  );
}
