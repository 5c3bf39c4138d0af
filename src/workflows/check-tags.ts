import { findTag } from '../content/copy-graph.ts';
import { DtError, type ImageFailure } from '../domain/errors.ts';
import { formatCount } from '../domain/format-quantity.ts';
import type { Digest } from '../domain/oci/digest.ts';
import { formatReference, referenceIdentifier, type Reference } from '../domain/oci/reference.ts';
import { askRegistries } from './ask-registries.ts';
import type { Outcome } from './collect-failures.ts';
import type { RunContext } from './context.ts';
import { openRepository } from './registry-stores.ts';

/** Something that is to have a tag in the target. */
export interface TagTarget {
  /** What the chart calls it. */
  readonly image: string;
  readonly reference: Reference;
  /** Any of these is right. */
  readonly digests: ReadonlySet<Digest>;
}

/** What the target has under the tag: nothing, the right digest, or another one that goes away. */
export type TagCheck =
  | { readonly state: 'new' }
  | { readonly state: 'same' }
  | { readonly state: 'overwritten'; readonly previousDigest: Digest };

/** Asks the registries for the tags; nothing is written. Failures are kept apart, in the order of the targets. */
export async function checkTags(targets: readonly TagTarget[], context: RunContext): Promise<Outcome<TagCheck>[]> {
  return askRegistries(
    targets,
    {
      registryOf: ({ reference }) => reference.registry,
      refusesCredential: (registry) => context.clients.forRegistry(registry).hasRefusedCredential,
    },
    context,
    async ({ reference, digests }, signal): Promise<TagCheck> => {
      const digest = await findTag(openRepository(context, reference, 'push'), tagIdentifier(reference), signal);
      if (digest === undefined) return { state: 'new' };
      return digests.has(digest) ? { state: 'same' } : { state: 'overwritten', previousDigest: digest };
    },
  );
}

/** The tag that a push writes, or the digest of a reference without one. */
export function tagIdentifier(reference: Reference): string {
  return reference.tag ?? referenceIdentifier(reference);
}

/** `REFERENCE (was sha256:…)` of every tag that would lose its digest. */
export function listOverwrites(targets: readonly TagTarget[], outcomes: readonly Outcome<TagCheck>[]): string[] {
  return findOverwrites(targets, outcomes).map(
    ({ reference, previousDigest }) => `${formatReference(reference)} (was ${previousDigest})`,
  );
}

/** Throws DT_TAG_EXISTS, naming all of them, if any tag would lose its digest. */
export function refuseOverwrites(targets: readonly TagTarget[], outcomes: readonly Outcome<TagCheck>[]): void {
  const failures = findOverwrites(targets, outcomes).map(({ image, reference, previousDigest }): ImageFailure => ({
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

function findOverwrites(
  targets: readonly TagTarget[],
  outcomes: readonly Outcome<TagCheck>[],
): (TagTarget & { readonly previousDigest: Digest })[] {
  return targets.flatMap((target, index) => {
    const outcome = outcomes[index];
    if (outcome === undefined || 'error' in outcome || outcome.result.state !== 'overwritten') return [];
    return [{ ...target, previousDigest: outcome.result.previousDigest }];
  });
}
