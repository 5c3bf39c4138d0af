import { DtError } from '../domain/errors.ts';
import { nextPage } from './next-page.ts';
import type { RegistryClient } from './registry-client.ts';

const MAX_PAGES = 1000;
const MAX_TAGS = 1_000_000;
const MAX_PAGE_BYTES = 8 * 1024 * 1024;

export interface ListTagsOptions {
  readonly signal?: AbortSignal | undefined;
  /** Pages come one after the other: whoever has another way may give up early. */
  readonly maxPages?: number;
  /** Tags that the registry is asked to put on a page; by default it chooses. */
  readonly pageSize?: number;
}

/**
 * All tags of a repository, page by page, in the order of the registry. `action` is what the repository is opened for. Throws
 * DT_LIMIT_EXCEEDED for more than a million tags or a thousand pages (or `maxPages`), and the registry errors.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags
 */
export async function listTags(
  client: RegistryClient,
  repository: string,
  action: 'pull' | 'push',
  { signal, maxPages = MAX_PAGES, pageSize }: ListTagsOptions = {},
): Promise<string[]> {
  const name = `${client.registry}/${repository}`;
  const tags: string[] = [];
  let path: string | URL | undefined = pageSize === undefined ? 'tags/list' : `tags/list?n=${String(pageSize)}`;
  for (let page = 0; path !== undefined; page++) {
    const response = await client.send({
      method: 'GET',
      path,
      repository,
      action,
      expect: [200],
      what: 'repository',
      signal,
      limitBytes: MAX_PAGE_BYTES,
    });
    for (const tag of readTags(response.body, name)) tags.push(tag);
    path = nextPage(response.headers['link'], response.url);
    if (path?.href === response.url.href) path = undefined;
    if (tags.length > MAX_TAGS || (path !== undefined && page + 1 >= maxPages)) {
      throw new DtError(
        'DT_LIMIT_EXCEEDED',
        `${name} has more than ${String(MAX_TAGS)} tags, or more than ${String(maxPages)} pages of them`,
      );
    }
  }
  return tags;
}

function readTags(body: Buffer, name: string): string[] {
  try {
    const { tags } = JSON.parse(body.toString('utf8')) as { tags?: unknown };
    return Array.isArray(tags) ? tags.filter((tag) => typeof tag === 'string') : [];
  } catch (error) {
    throw new DtError('DT_REGISTRY_ERROR', `${name} gave a list of tags that is not JSON`, { cause: error });
  }
}
