import { DtError, isDtError } from '../domain/errors.ts';
import { copyError } from '../domain/error-rules.ts';
import {
  ATTACHED_TAG_SUFFIXES,
  attachedTag,
  metadataTag,
  referrersTag,
  type AttachedArtifact,
} from '../domain/oci/attached-artifact.ts';
import type { Digest } from '../domain/oci/digest.ts';
import { MEDIA_TYPE_OCI_INDEX } from '../domain/oci/media-types.ts';
import { isTag } from '../domain/oci/reference.ts';
import { listEntryDigests, readReferrersIndex } from '../domain/oci/referrers-index.ts';
import { mapConcurrently } from './map-concurrently.ts';
import type { RegistryStore } from './registry-store.ts';
import { RepositoryTags } from './repository-tags.ts';

/** Of one call: an image, its platforms and everything attached to them. */
const MAX_ATTACHED = 2_000;
/** What lists name, before anything that comes twice is taken out: they are held in memory. */
const MAX_LISTED = 10_000;
/** A signature of an SBOM of an image is two deep. */
const MAX_DEPTH = 8;

export interface FindAttachedOptions {
  /** Requests on their way at the same time. */
  readonly concurrency: number;
  readonly signal?: AbortSignal | undefined;
  /** The tag of the first subject: what is under `TAG-metadata` belongs to it. */
  readonly imageTag?: string | undefined;
}

/** One call of `find`. */
interface Search extends FindAttachedOptions {
  listed: number;
}

/** Finds what is attached to manifests of one repository. One finder serves all images of the repository: it asks for the tags once. */
export class AttachedFinder {
  readonly #store: RegistryStore;
  readonly #tags: RepositoryTags;

  constructor(store: RegistryStore) {
    this.#store = store;
    this.#tags = new RepositoryTags(store);
  }

  /**
   * Everything that is attached to the subjects, and to what is attached, each (subject, digest, tag) once: subjects in the order
   * given, for each its referrers by digest, then its tags in the order of their suffixes; behind them what is attached to those.
   * Children of an attached index are not looked at. Nothing of an artifact is read or verified here. Throws DT_LIMIT_EXCEEDED for
   * more than 2,000 artifacts or 8 levels, DT_MANIFEST_INVALID, and the registry errors.
   */
  async find(subjects: readonly Digest[], options: FindAttachedOptions): Promise<AttachedArtifact[]> {
    try {
      return await this.#findAll(subjects, options);
    } catch (error) {
      throw addHint(error);
    }
  }

  async #findAll(subjects: readonly Digest[], options: FindAttachedOptions): Promise<AttachedArtifact[]> {
    const search: Search = { ...options, listed: 0 };
    const found = new Map<string, AttachedArtifact>();
    const asked = new Set<Digest>();
    let level = [...new Set(subjects)];
    for (let depth = 0; level.length > 0; depth++) {
      if (depth > MAX_DEPTH) {
        throw new DtError(
          'DT_LIMIT_EXCEEDED',
          `${this.#store.name} has artifacts of artifacts deeper than ${String(MAX_DEPTH)}`,
        );
      }
      for (const subject of level) asked.add(subject);
      const artifacts = await this.#findLevel(level, search, depth === 0);
      for (const artifact of artifacts)
        found.set(`${artifact.subject} ${artifact.digest} ${artifact.tag ?? ''}`, artifact);
      if (found.size > MAX_ATTACHED) {
        throw this.#tooMany();
      }
      level = [...new Set(artifacts.map(({ digest }) => digest))].filter((digest) => !asked.has(digest));
    }
    return [...found.values()];
  }

  /** Two rounds of requests at most: lists, then what the tags hold. */
  async #findLevel(subjects: readonly Digest[], search: Search, isTop: boolean): Promise<AttachedArtifact[]> {
    const { imageTag, signal } = search;
    const [tags, referrers] = await Promise.all([
      this.#tags.list(imageTag, signal),
      mapConcurrently(subjects, search, async (subject, limit) =>
        this.#count(search, await this.#store.listReferrers(subject, limit)),
      ),
    ]);
    const lookUps = subjects.flatMap((subject, position) => {
      const candidates = listCandidates(subject, isTop && position === 0 ? imageTag : undefined);
      // With the API and without a list of tags there is nothing to expect under the tag for registries without the API.
      const listTag = referrersTag(subject);
      const readsList = tags === undefined ? referrers[position] === undefined : tags.has(listTag);
      return [
        { subject, referrers: referrers[position] ?? [], listTag: readsList ? listTag : undefined },
        ...candidates.filter((tag) => tags?.has(tag) ?? true).map((tag) => ({ subject, tag })),
      ];
    });
    const artifacts = await mapConcurrently(lookUps, search, async (lookUp, limit): Promise<AttachedArtifact[]> => {
      const { subject } = lookUp;
      if ('tag' in lookUp) {
        const digest = await this.#resolve(lookUp.tag, limit);
        return digest === undefined ? [] : [{ subject, digest, tag: lookUp.tag }];
      }
      const listed =
        lookUp.listTag === undefined ? [] : this.#count(search, await this.#readList(lookUp.listTag, limit));
      const digests = new Set([...lookUp.referrers, ...listed]);
      digests.delete(subject);
      return [...digests].sort().map((digest) => ({ subject, digest }));
    });
    return artifacts.flat();
  }

  #count<T extends readonly Digest[] | undefined>(search: Search, digests: T): T {
    search.listed += digests?.length ?? 0;
    if (search.listed > MAX_LISTED) throw this.#tooMany();
    return digests;
  }

  #tooMany(): DtError {
    const message = `${this.#store.name} has more than ${String(MAX_ATTACHED)} artifacts attached to one image`;
    return new DtError('DT_LIMIT_EXCEEDED', message);
  }

  /** The digest that a tag has; undefined if it is gone, or was never there. */
  async #resolve(tag: string, signal: AbortSignal): Promise<Digest | undefined> {
    try {
      return (await this.#store.resolve(tag, signal)).digest;
    } catch (error) {
      if (isDtError(error, 'DT_NOT_FOUND')) return undefined;
      throw error;
    }
  }

  /** What the index under the tag lists; nothing if there is none, or the tag is that of an image. */
  async #readList(tag: string, signal: AbortSignal): Promise<readonly Digest[]> {
    try {
      const { descriptor, bytes } = await this.#store.readManifest(tag, { signal });
      const index = readReferrersIndex(bytes, descriptor.mediaType);
      if (index !== undefined) return listEntryDigests(index, `${this.#store.name}:${tag}`);
      if (descriptor.mediaType !== MEDIA_TYPE_OCI_INDEX) return [];
      throw new DtError(
        'DT_MANIFEST_INVALID',
        `${this.#store.name}:${tag} should list what is attached, but is no valid index`,
      );
    } catch (error) {
      if (isDtError(error, 'DT_NOT_FOUND')) return [];
      throw error;
    }
  }
}

/** The tags under which something may be attached, in the order of the suffixes. */
function listCandidates(subject: Digest, imageTag: string | undefined): string[] {
  const tags = ATTACHED_TAG_SUFFIXES.map((suffix) => attachedTag(subject, suffix));
  if (imageTag !== undefined) tags.push(metadataTag(imageTag));
  // A sha512 digest is too long for a tag.
  return tags.filter(isTag);
}

function addHint(error: unknown): unknown {
  if (!isDtError(error) || error.code === 'DT_INTERRUPTED') return error;
  return copyError(error, {
    hints: [...error.hints.slice(0, 1), '--no-referrers to leave out signatures and everything else that is attached'],
  });
}
