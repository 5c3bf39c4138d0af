import { DtError } from '../errors.ts';
import { trimOciScheme } from '../oci/oci-scheme.ts';
import { isRegistryHost, isRepository, namesRegistry, normalizeRegistry } from '../oci/reference.ts';

/** Where relocated images go: a registry (with its port) and a path in it, empty for the root. */
export interface RelocationPrefix {
  readonly registry: string;
  readonly path: string;
}

const MAX_PORT = 65_535;

/**
 * Parses `[oci://]REGISTRY[/PATH]`. The first part is always the registry, also without a dot or a port.
 * Throws DT_BAD_PREFIX for everything else: other schemes, upper-case paths, blanks, tags, nothing at all.
 */
export function parseRelocationPrefix(text: string): RelocationPrefix {
  const name = trimSlashes(trimOciScheme(text));
  const slash = name.indexOf('/');
  const registry = slash === -1 ? name : name.slice(0, slash);
  const path = slash === -1 ? '' : name.slice(slash + 1);
  // Without dot and port it reads as a folder of Docker Hub once it stands in a reference.
  const isReadable = namesRegistry(registry) || isRepository(registry);
  if (!isRegistryHost(registry) || !isReadable || !hasValidPort(registry) || (slash !== -1 && !isRepository(path))) {
    throw new DtError('DT_BAD_PREFIX', `"${text.slice(0, 300)}" is not a registry with an optional path`, {
      detail:
        'A prefix looks like registry.example.com/path: lower-case path, no scheme but oci://, no tag, no blanks.',
    });
  }
  return { registry: normalizeRegistry(registry), path };
}

/** `oci://REGISTRY/PATH`, as Helm names a place for charts. */
export function formatOciPrefix({ registry, path }: RelocationPrefix): string {
  return `oci://${registry}${path === '' ? '' : `/${path}`}`;
}

function trimSlashes(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === '/') end--;
  return text.slice(0, end);
}

function hasValidPort(registry: string): boolean {
  const port = /:([0-9]+)$/.exec(registry)?.[1];
  return port === undefined || (Number(port) > 0 && Number(port) <= MAX_PORT);
}
