import { DtError } from '../errors.ts';
import { isDigest, type Digest } from './digest.ts';

/** A parsed reference. `registry` includes the port; Docker Hub is always `docker.io` with `library/` made explicit. */
export interface Reference {
  readonly registry: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: Digest;
}

export const DOCKER_HUB_REGISTRY = 'docker.io';
export const DEFAULT_TAG = 'latest';

const DOCKER_HUB_ALIASES: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);
/** In front of the images of Docker Hub that have no owner. */
export const OFFICIAL_PREFIX = 'library/';
const MAX_REPOSITORY_LENGTH = 255;

// https://github.com/distribution/reference/blob/v0.6.0/regexp.go
const HOST_PATTERN =
  /^(?:\[[0-9a-f:]+\]|[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*)(?::[0-9]{1,5})?$/i;
// https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests
const REPOSITORY_PATTERN = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG_PATTERN = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const HEX_64_PATTERN = /^[a-f0-9]{64}$/;

export function isTag(text: string): boolean {
  return TAG_PATTERN.test(text);
}

/** True for `host[:port]`, also in the `[IPv6]` form. */
export function isRegistryHost(text: string): boolean {
  // The pattern lets ports over 65535 and impossible addresses pass, of which no URL can be made.
  return HOST_PATTERN.test(text) && URL.canParse(`https://${text}/`);
}

export function isRepository(text: string): boolean {
  return text.length <= MAX_REPOSITORY_LENGTH && REPOSITORY_PATTERN.test(text);
}

/** True if the first part of a reference names a registry and not a folder on Docker Hub. */
export function namesRegistry(firstPart: string): boolean {
  return firstPart === 'localhost' || firstPart.includes('.') || firstPart.includes(':');
}

/** Docker Hub under any of its names as `docker.io`; every other registry as it is. */
export function normalizeRegistry(registry: string): string {
  return DOCKER_HUB_ALIASES.has(registry.toLowerCase()) ? DOCKER_HUB_REGISTRY : registry;
}

/**
 * Parses `[registry/]repository[:tag][@digest]` as Docker does. No tag is added.
 * Throws DT_BAD_REFERENCE, also for URLs (`oci://…`, `https://…`).
 */
export function parseReference(text: string): Reference {
  const reject = (why: string): DtError =>
    new DtError('DT_BAD_REFERENCE', `"${text.slice(0, 300)}" is not an image reference: ${why}`);
  if (text.includes('://')) throw reject('it is a URL');

  const at = text.indexOf('@');
  const digest = at === -1 ? undefined : text.slice(at + 1);
  if (digest !== undefined && !isDigest(digest)) throw reject('the part after @ is not a digest');
  const name = at === -1 ? text : text.slice(0, at);

  const colon = name.lastIndexOf(':');
  const hasTag = colon > name.lastIndexOf('/');
  const tag = hasTag ? name.slice(colon + 1) : undefined;
  if (tag !== undefined && !isTag(tag)) throw reject('the tag is not valid');
  const path = hasTag ? name.slice(0, colon) : name;

  const slash = path.indexOf('/');
  const first = slash === -1 ? '' : path.slice(0, slash);
  const hasRegistry = slash !== -1 && namesRegistry(first);
  const registry = hasRegistry ? normalizeRegistry(first) : DOCKER_HUB_REGISTRY;
  if (!isRegistryHost(registry)) throw reject('the registry is not a host name');
  let repository = hasRegistry ? path.slice(slash + 1) : path;
  if (registry === DOCKER_HUB_REGISTRY && repository !== '' && !repository.includes('/')) {
    // A bare digest would otherwise parse as a tag of the repository "sha256".
    if (HEX_64_PATTERN.test(repository) || (tag !== undefined && /^sha(?:256|512)$/.test(repository))) {
      throw reject('a digest alone names no repository');
    }
    repository = OFFICIAL_PREFIX + repository;
  }
  if (!isRepository(repository)) throw reject('the repository is not valid');

  return { registry, repository, ...(tag === undefined ? {} : { tag }), ...(digest === undefined ? {} : { digest }) };
}

/** `registry/repository`. */
export function formatRepository(reference: Pick<Reference, 'registry' | 'repository'>): string {
  return `${reference.registry}/${reference.repository}`;
}

/** `registry/repository[:tag][@digest]`, with nothing added. */
export function formatReference(reference: Reference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return formatRepository(reference) + tag + digest;
}

/** What a registry is asked for: the digest if there is one, else the tag, else `latest`. */
export function referenceIdentifier(reference: Reference): string {
  return reference.digest ?? reference.tag ?? DEFAULT_TAG;
}
