import { findTag } from '../../content/copy-graph.ts';
import { mapConcurrently } from '../../content/map-concurrently.ts';
import type { Graph } from '../../content/read-graph.ts';
import { DtError, type ImageFailure } from '../../domain/errors.ts';
import { formatCount } from '../../domain/format-quantity.ts';
import { matchesDigest, type Digest } from '../../domain/oci/digest.ts';
import { isNonDistributable } from '../../domain/oci/media-types.ts';
import { formatReference, type Reference } from '../../domain/oci/reference.ts';
import { askRegistries } from '../ask-registries.ts';
import type { Outcome } from '../collect-failures.ts';
import type { RunContext } from '../context.ts';
import { openRepository } from '../registry-stores.ts';

/** Something that is to have a tag in the target. */
export interface TagTarget {
  /** What the chart calls it. */
  readonly image: string;
  readonly reference: Reference;
  /** Any of these is right. */
  readonly digests: ReadonlySet<Digest>;
  /** What belongs to them. A registry may hold an index without its children, and an image without its foreign layers. */
  readonly graphs?: readonly Graph[];
}

/** What the target has under the tag: nothing, the right digest (with all that belongs to it or not), or another one that goes away. */
export type TagCheck =
  | { readonly state: 'new' }
  | { readonly state: 'incomplete' }
  | { readonly state: 'same'; readonly digest: Digest }
  | { readonly state: 'overwritten'; readonly previousDigest: Digest };

/** Something that is to be pushed, with what the target said about its tag. */
export interface CheckedTarget extends TagTarget {
  readonly check: Outcome<TagCheck>;
}

/** Asks the registries for the tags; nothing is written. Failures are kept apart, in the order of the targets. */
export async function checkTags(targets: readonly TagTarget[], context: RunContext): Promise<CheckedTarget[]> {
  const checks = await askRegistries(
    targets,
    {
      registryOf: ({ reference }) => reference.registry,
      refusesCredential: (registry) => context.clients.forRegistry(registry).hasRefusedCredential,
    },
    context,
    async (target, signal): Promise<TagCheck> => {
      const digest = await findPushed(target, context, signal);
      if (digest === undefined) return { state: 'new' };
      if (!target.digests.has(digest)) return { state: 'overwritten', previousDigest: digest };
      return (await isComplete(target, digest, context, signal)) ? { state: 'same', digest } : { state: 'incomplete' };
    },
  );
  return targets.map((target, index) => ({ ...target, check: checks[index] as Outcome<TagCheck> }));
}

/** False if the target lacks a manifest below the digest, or a layer that registries do not insist on. */
async function isComplete(
  { reference, graphs = [] }: TagTarget,
  digest: Digest,
  context: RunContext,
  signal: AbortSignal,
): Promise<boolean> {
  const graph = graphs.find(({ root }) => matchesDigest(root.bytes, digest));
  if (graph === undefined) return true;
  const store = openRepository(context, reference, 'push');
  const wanted = [
    ...graph.manifests.map(({ descriptor }) => descriptor),
    ...graph.blobs.filter(({ mediaType }) => isNonDistributable(mediaType)),
  ];
  const found = await mapConcurrently(wanted, { ...context, signal }, async (descriptor, limit) =>
    isNonDistributable(descriptor.mediaType) ? store.hasBlob(descriptor, limit) : store.hasManifest(descriptor, limit),
  );
  return found.every(Boolean);
}

/** The digest that the target has under the tag, or which of the digests it has for a reference without a tag. */
export async function findPushed(
  { reference, digests }: Pick<TagTarget, 'reference' | 'digests'>,
  context: RunContext,
  signal: AbortSignal,
): Promise<Digest | undefined> {
  const store = openRepository(context, reference, 'push');
  if (reference.tag !== undefined) return findTag(store, reference.tag, signal);
  for (const candidate of digests) {
    const digest = await findTag(store, candidate, signal);
    if (digest !== undefined) return digest;
  }
  return undefined;
}

/** `REFERENCE (was sha256:…)` of every tag that would lose its digest. */
export function listOverwrites(targets: readonly CheckedTarget[]): string[] {
  return findOverwrites(targets).map(
    ({ reference, previousDigest }) => `${formatReference(reference)} (was ${previousDigest})`,
  );
}

/** Throws DT_TAG_EXISTS, naming all of them, if any tag would lose its digest. */
export function refuseOverwrites(targets: readonly CheckedTarget[]): void {
  const failures = findOverwrites(targets).map(({ image, reference, previousDigest }): ImageFailure => ({
    image,
    error: new DtError('DT_TAG_EXISTS', `${formatReference(reference)} exists with another digest, ${previousDigest}`),
  }));
  const [first] = failures;
  if (first === undefined) return;
  throw new DtError(
    'DT_TAG_EXISTS',
    failures.length === 1
      ? first.error.message
      : `${formatCount(failures.length, 'tag')} exist in the target with another digest`,
    {
      failures,
      detail: 'Nothing was pushed.',
      hints: ['{bin} unwrap … --plan to see what would change', '{bin} unwrap … without --no-overwrite to overwrite'],
    },
  );
}

function findOverwrites(targets: readonly CheckedTarget[]): (TagTarget & { readonly previousDigest: Digest })[] {
  return targets.flatMap(({ check, ...target }) => {
    if ('error' in check || check.result.state !== 'overwritten') return [];
    return [{ ...target, previousDigest: check.result.previousDigest }];
  });
}

/** True if the tag has the right digest already. */
export function isThere({ check }: { readonly check: Outcome<TagCheck> }): boolean {
  return 'result' in check && check.result.state === 'same';
}
