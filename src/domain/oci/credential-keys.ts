import { copyError } from '../error-rules.ts';
import { isDtError } from '../errors.ts';
import { DOCKER_HUB_REGISTRY, normalizeRegistry } from './reference.ts';
import { parseRelocationPrefix } from '../relocation/relocation-prefix.ts';

/** The name that Docker, Helm and credential helpers keep the credentials of Docker Hub under. */
const DOCKER_HUB_KEY = 'https://index.docker.io/v1/';

/** What a credential is for: a registry, or the repositories below a path of it. */
export interface CredentialScope {
  readonly registry: string;
  /** Empty for the whole registry. */
  readonly path: string;
}

/** Parses `HOST[/PATH]`, also in the spellings that files have (`https://HOST/v1/`). Throws DT_BAD_PREFIX. */
export function parseCredentialScope(text: string): CredentialScope {
  try {
    const { registry, path } = parseRelocationPrefix(normalizeKey(text));
    return { registry: normalizeHost(registry), path };
  } catch (error) {
    if (!isDtError(error, 'DT_BAD_PREFIX')) throw error;
    throw copyError(error, { hints: ['{bin} auth login registry.example.com'] });
  }
}

/** `HOST[/PATH]`. */
export function formatScope({ registry, path }: CredentialScope): string {
  return path === '' ? registry : `${registry}/${path}`;
}

/** The key under which a credential is written: that of Docker. */
export function storageKey(scope: CredentialScope): string {
  return scope.registry === DOCKER_HUB_REGISTRY && scope.path === '' ? DOCKER_HUB_KEY : formatScope(scope);
}

/**
 * The one spelling of a key that all spellings are compared by. Docker wrote keys as URLs once: `https://HOST/v1/` stands for
 * `HOST`; Docker Hub is `docker.io` under all of its names; hosts are the same in upper and lower case.
 */
export function normalizeKey(key: string): string {
  const name = trimSlashes(key.replace(/^https?:\/\//i, '')).replace(/^([^/]+)\/v[12]$/, '$1');
  const slash = name.indexOf('/');
  return slash === -1 ? normalizeHost(name) : normalizeHost(name.slice(0, slash)) + name.slice(slash);
}

/** The normalised keys that a repository may be found under, longest path first, the registry last. */
export function lookupKeys(registry: string, repository: string): string[] {
  const host = normalizeHost(registry);
  const parts = repository === '' ? [] : repository.split('/');
  return [...parts.map((_, index) => `${host}/${parts.slice(0, parts.length - index).join('/')}`), host];
}

function normalizeHost(host: string): string {
  return normalizeRegistry(host.toLowerCase());
}

function trimSlashes(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === '/') end--;
  return text.slice(0, end);
}
