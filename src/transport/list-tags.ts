import { DtError } from '../domain/errors.ts';
import type { RegistryClient } from './registry-client.ts';

const MAX_PAGES = 1000;
const MAX_TAGS = 1_000_000;
const MAX_PAGE_BYTES = 8 * 1024 * 1024;

/**
 * All tags of a repository, page by page, in the order of the registry. `action` is what the repository is opened for. Throws
 * DT_LIMIT_EXCEEDED for more than a million tags or a thousand pages, and the registry errors.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#listing-tags
 */
export async function listTags(
  client: RegistryClient,
  repository: string,
  action: 'pull' | 'push',
  signal?: AbortSignal,
): Promise<string[]> {
  const name = `${client.registry}/${repository}`;
  const tags: string[] = [];
  let path: string | URL | undefined = 'tags/list';
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
    tags.push(...readTags(response.body, name));
    if (tags.length > MAX_TAGS || page >= MAX_PAGES) {
      throw new DtError(
        'DT_LIMIT_EXCEEDED',
        `${name} has more than ${String(MAX_TAGS)} tags, or pages of them without end`,
      );
    }
    path = nextPage(response.headers['link'], response.url);
    if (path?.href === response.url.href) path = undefined;
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

/** The next page, always on the host that was asked: behind a proxy some registries name themselves wrongly. */
function nextPage(link: string | string[] | undefined, base: URL): URL | undefined {
  const target = /<([^>]+)>\s*;\s*rel="?next"?/.exec(String(link ?? ''))?.[1];
  if (target === undefined || !URL.canParse(target, base)) return undefined;
  const { pathname, search } = new URL(target, base);
  return new URL(pathname + search, base);
}
