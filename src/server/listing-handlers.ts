import type { Exchange } from './exchange.ts';
import type { HandlerContext } from './handler-context.ts';
import { cutPage } from './pagination.ts';

export async function listTags(context: HandlerContext, exchange: Exchange, repository: string): Promise<void> {
  const tags = await context.backend.listTags(repository);
  if (tags === undefined) {
    exchange.fail('NAME_UNKNOWN', 'there is no such repository', { detail: { name: repository } });
    return;
  }
  respondPage(exchange, tags, `/v2/${repository}/tags/list`, (entries) => ({ name: repository, tags: entries }));
}

/** The catalog is not part of the specification, but tools use it: https://distribution.github.io/distribution/spec/api/#catalog */
export async function listRepositories(context: HandlerContext, exchange: Exchange): Promise<void> {
  const repositories = await context.backend.listRepositories();
  respondPage(exchange, repositories, '/v2/_catalog', (entries) => ({ repositories: entries }));
}

function respondPage(
  exchange: Exchange,
  all: readonly string[],
  path: string,
  toDocument: (entries: readonly string[]) => unknown,
): void {
  const page = cutPage(all, exchange.query, path);
  if (page === undefined) {
    exchange.fail('PAGINATION_NUMBER_INVALID', 'n is not a number');
    return;
  }
  exchange.respondJson(200, toDocument(page.entries), page.link === undefined ? {} : { Link: page.link });
}
