import { mapConcurrently } from '../../content/map-concurrently.ts';
import type { RegistryStore } from '../../content/registry-store.ts';
import { isDtError } from '../../domain/errors.ts';
import type { Descriptor } from '../../domain/oci/descriptor.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import { formatRepository, parseReference, type Reference } from '../../domain/oci/reference.ts';
import { pushTarget } from '../../domain/relocation/relocate-reference.ts';
import type { RelocationRule } from '../../domain/relocation/relocation-rule.ts';
import type { BasePlaces } from '../../domain/wrap/wrap-base.ts';
import { listOmitted, type WrapDocument } from '../../domain/wrap/wrap-document.ts';
import type { RunContext } from '../context.ts';
import { openRepository } from '../registry-stores.ts';
import type { ImagePush } from './plan-image-pushes.ts';

/** Repositories of the images themselves that are asked for a blob: an earlier run may have brought it there. */
const MAX_OWN_PLACES = 4;

type Repository = Pick<Reference, 'registry' | 'repository'>;

/** A blob that a delta leaves out, and that a registry needs for some images. */
interface NeededBlob {
  readonly blob: Descriptor;
  readonly registry: string;
  readonly pushes: ImagePush[];
  readonly base: BasePlaces;
}

/** A blob that a delta leaves out and the target does not have. */
export interface MissingBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** References of the images that need it. */
  readonly images: readonly string[];
  /** Where it was looked for. */
  readonly repositories: readonly string[];
  /** What kept some of them from being looked into. */
  readonly reason?: string;
}

/** What became of the search for the blobs that a delta leaves out. */
export interface BaseBlobs {
  /** The repositories that have them, by the registry that needs them. */
  readonly found: ReadonlyMap<string, ReadonlyMap<Digest, RegistryStore>>;
  readonly missing: readonly MissingBlob[];
}

/** Of what is no delta. */
export const NO_BASE_BLOBS: BaseBlobs = { found: new Map(), missing: [] };

/**
 * Finds the blobs that a delta leaves out of the images in the registries that these go to: where the rule puts the images of the
 * base, in the repositories of an inventory that lie below the prefix, and where the images themselves go. Throws the errors of the
 * registries, but for repositories that may not be read.
 */
export async function findBaseBlobs(
  document: WrapDocument | undefined,
  rule: RelocationRule,
  pushes: readonly ImagePush[],
  context: RunContext,
): Promise<BaseBlobs> {
  const needed = document === undefined ? [] : listNeeded(document, pushes);
  if (needed.length === 0) return NO_BASE_BLOBS;
  return context.reporter.step(
    'Looking for what the delta leaves out',
    async () => {
      const places = await mapConcurrently(needed, context, async (item, signal) =>
        findPlace(item, rule, { ...context, signal }),
      );
      const found = new Map<string, Map<Digest, RegistryStore>>();
      const missing: MissingBlob[] = [];
      for (const [index, { registry, blob, pushes }] of needed.entries()) {
        const place = places[index] as Place;
        if ('store' in place) {
          const stores = found.get(registry) ?? new Map<Digest, RegistryStore>();
          found.set(registry, stores.set(blob.digest, place.store));
        } else {
          const { digest, size } = blob;
          missing.push({
            digest,
            sizeBytes: size,
            images: [...new Set(pushes.map(({ image }) => image.image))],
            ...place,
          });
        }
      }
      return { found, missing };
    },
    ({ missing }) => `${String(needed.length - missing.length)} of ${String(needed.length)} blobs found in the target`,
  );
}

/** Each blob once per registry. */
function listNeeded(document: WrapDocument, pushes: readonly ImagePush[]): NeededBlob[] {
  const omitted = new Map(listOmitted(document).map(({ digest, base }) => [digest, base]));
  const needed = new Map<string, NeededBlob>();
  for (const push of pushes) {
    const { registry } = push.target;
    for (const blob of push.graph.blobs) {
      const base = omitted.get(blob.digest);
      if (base === undefined) continue;
      const key = `${registry} ${blob.digest}`;
      const item = needed.get(key) ?? { blob, registry, pushes: [], base };
      item.pushes.push(push);
      needed.set(key, item);
    }
  }
  return [...needed.values()];
}

type Place = { readonly store: RegistryStore } | Pick<MissingBlob, 'repositories' | 'reason'>;

async function findPlace(item: NeededBlob, rule: RelocationRule, context: RunContext): Promise<Place> {
  const candidates = listCandidates(item, rule);
  let reason: string | undefined;
  for (const repository of candidates) {
    const store = openRepository(context, repository);
    try {
      if (await store.hasBlob(item.blob, context.signal)) return { store };
    } catch (error) {
      // Many registries say so of a repository that is not there.
      if (!isDtError(error, 'DT_AUTH_REQUIRED', 'DT_AUTH_DENIED')) throw error;
      reason ??= error.message;
    }
  }
  return { repositories: candidates.map(formatRepository), ...(reason === undefined ? {} : { reason }) };
}

/** The places of the base, those first from which nothing has to be moved, then those of the images. */
function listCandidates({ base, registry, pushes }: NeededBlob, rule: RelocationRule): Repository[] {
  const own = new Map(pushes.map(({ target }) => [formatRepository(target), target]));
  const places = [
    ...base.sources.map((source) => pushTarget(parseReference(source), rule)),
    ...base.targets.filter((name) => isBelow(rule, name)).map((repository) => ({ registry, repository })),
  ];
  const isOwn = (place: Repository): boolean => own.has(formatRepository(place));
  const isNear = (place: Repository): boolean => place.registry === registry;
  const ordered = [
    ...places.filter(isOwn),
    ...places.filter((place) => !isOwn(place) && isNear(place)),
    ...places.filter((place) => !isNear(place)),
    ...[...own.values()].slice(0, MAX_OWN_PLACES),
  ];
  return [...new Map(ordered.map((place) => [formatRepository(place), place])).values()];
}

/** A delta of somebody else must not choose what is taken from other places of the registry. */
function isBelow({ path }: RelocationRule, repository: string): boolean {
  return path === '' || repository.startsWith(`${path}/`);
}
