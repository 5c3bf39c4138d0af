import { DtError, isDtError } from '../domain/errors.ts';
import { copyError } from '../domain/error-rules.ts';
import { isRepository } from '../domain/oci/reference.ts';
import type { HttpResponse } from './http/http-message.ts';
import { nextPage } from './next-page.ts';
import type { RegistryClient } from './registry-client.ts';

const PAGE_SIZE = 1000;
const MAX_PAGES = 1000;
const MAX_PAGE_BYTES = 8 * 1024 * 1024;

/** What a registry answers that lists nothing, or not to everybody. */
const REFUSALS = ['DT_AUTH_REQUIRED', 'DT_AUTH_DENIED', 'DT_NOT_FOUND', 'DT_REGISTRY_ERROR'] as const;

/**
 * The repositories of a registry that a filter wants, each once, in the order of the registry. Throws the registry errors, with a hint
 * for one that gives no list, and DT_LIMIT_EXCEEDED for more than `MAX_PAGES` pages or `maxCount` repositories.
 * https://distribution.github.io/distribution/spec/api/#catalog
 */
export async function listRepositories(
  client: RegistryClient,
  isWanted: (repository: string) => boolean,
  maxCount: number,
  signal?: AbortSignal,
): Promise<string[]> {
  const repositories = new Set<string>();
  let path: URL | undefined = new URL(`v2/_catalog?n=${String(PAGE_SIZE)}`, await client.findBaseUrl(signal));
  for (let page = 0; path !== undefined; page++) {
    const response: HttpResponse = await readPage(client, path, signal);
    for (const name of readNames(response.body, client.registry)) if (isWanted(name)) repositories.add(name);
    const next: URL | undefined = nextPage(response.headers['link'], response.url);
    path = next?.href === response.url.href ? undefined : next;
    if (repositories.size > maxCount || (path !== undefined && page + 1 >= MAX_PAGES)) {
      throw new DtError(
        'DT_LIMIT_EXCEEDED',
        `${client.registry} has more than ${String(maxCount)} repositories there, or more than ${String(MAX_PAGES)} pages of them`,
      );
    }
  }
  return [...repositories];
}

async function readPage(client: RegistryClient, path: URL, signal: AbortSignal | undefined): Promise<HttpResponse> {
  try {
    return await client.send({
      method: 'GET',
      path,
      repository: '',
      action: 'pull',
      expect: [200],
      what: 'the list of repositories',
      signal,
      limitBytes: MAX_PAGE_BYTES,
    });
  } catch (error) {
    if (!isDtError(error, ...REFUSALS)) throw error;
    throw copyError(error, {
      hints: ['--repository NAME for each repository, where a registry does not list them', ...error.hints.slice(0, 1)],
    });
  }
}

/** What is no name of a repository is left out: it could not be asked for. */
function readNames(body: Buffer, registry: string): string[] {
  try {
    const document = JSON.parse(body.toString('utf8')) as { readonly repositories?: unknown } | null;
    const names: readonly unknown[] = Array.isArray(document?.repositories) ? document.repositories : [];
    return names.filter((name): name is string => typeof name === 'string' && isRepository(name));
  } catch (error) {
    throw new DtError('DT_REGISTRY_ERROR', `${registry} gave a list of repositories that is not JSON`, {
      cause: error,
    });
  }
}
