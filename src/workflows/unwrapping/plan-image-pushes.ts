import { filterGraph } from '../../content/filter-graph.ts';
import type { CopyJob } from '../../content/copy-job.ts';
import type { AttachedGraph, ImageContent } from '../../content/image-content.ts';
import type { Graph } from '../../content/read-graph.ts';
import { DtError } from '../../domain/errors.ts';
import type { LockImage } from '../../domain/lock/images-lock.ts';
import { digestOf, type Digest } from '../../domain/oci/digest.ts';
import { parseManifest } from '../../domain/oci/manifest.ts';
import {
  DEFAULT_TAG,
  formatReference,
  formatRepository,
  parseReference,
  type Reference,
} from '../../domain/oci/reference.ts';
import { pushTarget, relocateReference } from '../../domain/relocation/relocate-reference.ts';
import type { RelocationRule } from '../../domain/relocation/relocation-rule.ts';
import { combineFailures, listFailures, tryAll } from '../collect-failures.ts';
import type { RunContext } from '../context.ts';
import type { OpenedFolder, OpenedWrap } from '../opening/opened-wrap.ts';
import { refuseCollisions } from './refuse-collisions.ts';

/**
 * What is pushed for an image of which the wrap has some platforms only: its own index although some of it is missing
 * (`sparse`), an index of what there is (`filtered`), the one where the registry takes it, else the other (`auto`), or nothing at
 * all (`full`).
 */
export type IndexMode = 'full' | 'sparse' | 'filtered' | 'auto';

/** An image of a wrap with the place it goes to. */
export interface ImagePush {
  readonly image: LockImage;
  readonly source: OpenedWrap['store'];
  /** The place that it is pushed to. Tag and digest as in the chart; an untagged reference gets `latest`. */
  readonly target: Reference;
  /** What the relocated chart calls it, if that is another place. */
  readonly pullTarget?: Reference;
  readonly graph: Graph;
  /** Pushed in place of `graph` where the registry refuses an index without all its children. */
  readonly fallback: Graph | undefined;
  /** True if the index goes to the target although children of it are missing, and nothing else does. */
  readonly isSparse?: boolean;
  /** The indexes, outer and inner, that the target lacks when it does not get the original index. */
  readonly lostDigests?: ReadonlySet<Digest>;
  /** The digest at the source; undefined where nobody knows it. */
  readonly sourceDigest: Digest | undefined;
  readonly attached: readonly AttachedGraph[];
  /** Repositories of the target, or others, that have what a delta leaves out; known once the target was asked. */
  readonly elsewhere?: CopyJob['elsewhere'];
}

export interface PushPlanOptions {
  /** Where images go; undefined for the references of the lock. */
  readonly rule: RelocationRule | undefined;
  readonly indexMode: IndexMode;
}

/**
 * What has to be pushed where, each place once. Throws DT_RELOCATION_COLLISION, and one error for all images of which the wrap
 * lacks something (DT_WRAP_INCOMPLETE) or holds something else (DT_DIGEST_MISMATCH, …).
 */
export async function planImagePushes(
  { path, store }: Pick<OpenedWrap, 'path' | 'store'>,
  folders: readonly OpenedFolder[],
  options: PushPlanOptions,
  context: RunContext,
): Promise<ImagePush[]> {
  const wanted = folders.flatMap((folder) => folder.lock.images.map((image) => ({ folder, image })));
  const outcomes = await tryAll(wanted, context, async ({ folder, image }) => {
    const content = await folder.readImage(image, context);
    requireAttached(content, image);
    const reference = withIdentifier(parseReference(image.image));
    const { rule } = options;
    const [target, pullTarget] =
      rule === undefined ? [reference, reference] : [pushTarget(reference, rule), relocateReference(reference, rule)];
    const { graph, isFiltered, isRebuilt = false, attached } = content;
    return {
      image,
      source: store,
      target,
      ...(formatRepository(target) === formatRepository(pullTarget) ? {} : { pullTarget }),
      ...(isFiltered ? chooseGraphs(graph, image, options.indexMode) : { graph, fallback: undefined }),
      sourceDigest: isRebuilt ? undefined : graph.root.descriptor.digest,
      attached,
    };
  });
  const failures = listFailures(wanted, outcomes, ({ image }) => image.image);
  if (failures.length > 0) throw combineFailures(failures, { totalCount: wanted.length, verb: `read from ${path}` });
  const pushes = outcomes.flatMap((outcome) => ('result' in outcome ? [outcome.result] : []));
  refuseCollisions(pushes, options.rule);
  return uniquePushes(pushes);
}

function withIdentifier(reference: Reference): Reference {
  const isIdentified = reference.tag !== undefined || reference.digest !== undefined;
  return isIdentified ? reference : { ...reference, tag: DEFAULT_TAG };
}

/** A wrap says what is attached to what: it must be a part of the image, and a manifest that names a subject must say the same. */
function requireAttached({ graph, attached }: ImageContent, { image }: LockImage): void {
  const known = new Set([graph.root, ...graph.manifests].map(({ descriptor }) => descriptor.digest));
  for (const { artifact, graph: own } of attached) {
    const named = parseManifest(own.root).subject?.digest ?? artifact.subject;
    if (!known.has(artifact.subject) || named !== artifact.subject) {
      throw new DtError(
        'DT_WRAP_INVALID',
        `${artifact.digest} in the wrap is not attached to ${image}, as the wrap says`,
      );
    }
    known.add(artifact.digest);
  }
}

function chooseGraphs(
  graph: Graph,
  { image }: LockImage,
  mode: IndexMode,
): Pick<ImagePush, 'graph' | 'fallback' | 'isSparse' | 'lostDigests'> {
  const filtered = filterGraph(graph);
  // Another chart of the wrap may have brought the rest.
  if (filtered.root === graph.root) return { graph, fallback: undefined };
  switch (mode) {
    case 'full':
      throw new DtError(
        'DT_WRAP_INCOMPLETE',
        `the wrap has some platforms of ${image} only, so its index cannot be pushed whole`,
        {
          hints: ['{bin} unwrap … --index auto', '{bin} wrap … without --platforms'],
        },
      );
    case 'sparse':
      return { graph, fallback: undefined, isSparse: true };
    case 'filtered':
      return { graph: filtered, fallback: undefined, lostDigests: findLost(graph, filtered) };
    case 'auto':
      return { graph, fallback: filtered, lostDigests: findLost(graph, filtered) };
  }
}

function findLost(original: Graph, filtered: Graph): Set<Digest> {
  const list = ({ root, manifests }: Graph): Digest[] =>
    [root, ...manifests].map(({ descriptor }) => descriptor.digest);
  const kept = new Set(list(filtered));
  return new Set(list(original).filter((digest) => !kept.has(digest)));
}

/** One image that charts name twice is pushed once. */
function uniquePushes(pushes: readonly ImagePush[]): ImagePush[] {
  return [...new Map(pushes.map((push) => [formatReference(push.target), push])).values()];
}

/** The digests that the image may have in the target. A registry may know what has a sha512 digest by its sha256 digest too. */
export function acceptedDigests({ graph, fallback }: Pick<ImagePush, 'graph' | 'fallback'>): ReadonlySet<Digest> {
  const roots = [graph, ...(fallback === undefined ? [] : [fallback])].map(({ root }) => root);
  return new Set(roots.flatMap(({ descriptor, bytes }) => [descriptor.digest, digestOf(bytes)]));
}
