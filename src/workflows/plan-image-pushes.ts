import type { Graph } from '../content/read-graph.ts';
import type { LockImage } from '../domain/lock/images-lock.ts';
import type { ManifestContent } from '../domain/oci/descriptor.ts';
import type { Digest } from '../domain/oci/digest.ts';
import { filterIndex } from '../domain/oci/filter-index.ts';
import { DEFAULT_TAG, formatReference, parseReference, type Reference } from '../domain/oci/reference.ts';
import { findRelocationCollisions, toCollisionError } from '../domain/relocation/relocation-collisions.ts';
import { relocateReference } from '../domain/relocation/relocate-reference.ts';
import type { RelocationPrefix } from '../domain/relocation/relocation-prefix.ts';
import { combineFailures, listFailures, tryAll } from './collect-failures.ts';
import type { RunContext } from './context.ts';
import type { OpenedWrap } from './opened-wrap.ts';

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

/**
 * What has to be pushed where. Throws DT_RELOCATION_COLLISION, and one error for all images of which the wrap lacks something
 * (DT_WRAP_INCOMPLETE) or holds something else (DT_DIGEST_MISMATCH, …).
 */
export async function planImagePushes(
  wrap: OpenedWrap,
  prefix: RelocationPrefix,
  context: RunContext,
): Promise<ImagePush[]> {
  const { images } = wrap.lock;
  const outcomes = await tryAll(images, context, async (image): Promise<ImagePush> => {
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
  const failures = listFailures(images, outcomes, ({ image }) => image);
  if (failures.length > 0) throw combineFailures(failures, { totalCount: images.length, verb: 'read from the wrap' });
  const pushes = outcomes.flatMap((outcome) => ('result' in outcome ? [outcome.result] : []));
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

/** The digests that the tag of the image may have in the target. */
export function acceptedDigests({ graph, fallbackRoot }: ImagePush): ReadonlySet<Digest> {
  return new Set(
    [graph.root, ...(fallbackRoot === undefined ? [] : [fallbackRoot])].map(({ descriptor }) => descriptor.digest),
  );
}
