import { mapConcurrently } from '../content/map-concurrently.ts';
import { isInternalTag } from '../domain/carvel/bundle-tags.ts';
import { formatRepository, parseReference } from '../domain/oci/reference.ts';
import type { RunContext } from './context.ts';
import { nameSide } from './name-side.ts';
import { openRepository } from './registry-stores.ts';

export interface ListBundleTagsOptions {
  readonly repository: string;
  readonly withDigests: boolean;
  /** Also the tags that keep copied images alive. */
  readonly withInternal: boolean;
}

export interface ListBundleTagsResult {
  readonly repository: string;
  readonly tags: readonly { readonly tag: string; readonly digest?: string }[];
}

/** The tags of a repository, sorted. Throws DT_BAD_REFERENCE, DT_LIMIT_EXCEEDED, and the registry errors. */
export async function listBundleTags(
  { repository, withDigests, withInternal }: ListBundleTagsOptions,
  context: RunContext,
): Promise<ListBundleTagsResult> {
  const reference = parseReference(repository);
  const store = openRepository(context, reference);
  return nameSide('source', async () => {
    const names = (await store.listTags(context.signal)).filter((tag) => withInternal || !isInternalTag(tag)).sort();
    const tags = await mapConcurrently(names, context, async (tag, signal) => ({
      tag,
      ...(withDigests ? { digest: (await store.resolve(tag, signal)).digest } : {}),
    }));
    return { repository: formatRepository(reference), tags };
  });
}
