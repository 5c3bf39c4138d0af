import { isDtError } from '../domain/errors.ts';
import type { RegistryStore } from './registry-store.ts';

/** More tags than this come too slowly, one page after the other. */
const MAX_TAG_PAGES = 20;
/** Amazon ECR refuses larger numbers. https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ListImages.html */
const TAGS_PER_PAGE = 1_000;

interface Listing {
  readonly tags: Promise<ReadonlySet<string> | undefined>;
  readonly signal: AbortSignal | undefined;
}

/** The tags of one repository, asked for once, however many want to know them. */
export class RepositoryTags {
  readonly #store: RegistryStore;
  #listing: Listing | undefined;

  constructor(store: RegistryStore) {
    this.#store = store;
  }

  /**
   * All tags, or undefined if the registry does not list them, or not all: if they fill too many pages, or `expected`, which the
   * caller knows to be there, is missing. Throws DT_REGISTRY_UNREACHABLE and DT_INTERRUPTED only.
   */
  async list(expected: string | undefined, signal: AbortSignal | undefined): Promise<ReadonlySet<string> | undefined> {
    for (;;) {
      const listing = (this.#listing ??= { tags: listIfPossible(this.#store, signal), signal });
      try {
        const tags = await listing.tags;
        // A cache may list no more than what somebody has fetched through it.
        return expected === undefined || tags?.has(expected) === true ? tags : undefined;
      } catch (error) {
        if (this.#listing === listing) this.#listing = undefined;
        // The interruption of another caller is not ours.
        const isOurs = listing.signal === signal || listing.signal?.aborted !== true || signal?.aborted === true;
        if (isOurs) throw error;
      }
    }
  }
}

async function listIfPossible(
  store: RegistryStore,
  signal: AbortSignal | undefined,
): Promise<ReadonlySet<string> | undefined> {
  try {
    const tags = await store.listTags(signal, { maxPages: MAX_TAG_PAGES, pageSize: TAGS_PER_PAGE });
    return tags.length === 0 ? undefined : new Set(tags);
  } catch (error) {
    if (!isDtError(error) || ['DT_REGISTRY_UNREACHABLE', 'DT_INTERRUPTED'].includes(error.code)) throw error;
    return undefined;
  }
}
