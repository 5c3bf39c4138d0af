import { isDtError } from '../errors.ts';
import { namesRegistry, parseReference, type Reference } from '../oci/reference.ts';

/** Hosts of source code: images of these services have registries of their own. */
const SOURCE_CODE_HOSTS: ReadonlySet<string> = new Set([
  'github.com',
  'raw.githubusercontent.com',
  'gitlab.com',
  'bitbucket.org',
]);
const MAX_REFERENCE_LENGTH = 600;

/** Parses the text of an image field; undefined if no container runtime would take it. */
export function parseImageField(text: string): Reference | undefined {
  if (text === '' || text.length > MAX_REFERENCE_LENGTH || /[\s{}$%]/.test(text)) return undefined;
  try {
    return parseReference(text);
  } catch (error) {
    if (isDtError(error, 'DT_BAD_REFERENCE')) return undefined;
    throw error;
  }
}

/** What of a reference is written out. */
export interface WrittenParts {
  readonly hasRegistry: boolean;
  readonly hasFolder: boolean;
  readonly hasIdentifier: boolean;
}

/** Says which parts a text names itself, before Docker's defaults are filled in. */
export function writtenParts(text: string, reference: Reference): WrittenParts {
  const slash = text.indexOf('/');
  return {
    hasRegistry: slash > 0 && namesRegistry(text.slice(0, slash)),
    hasFolder: slash > 0,
    hasIdentifier: reference.tag !== undefined || reference.digest !== undefined,
  };
}

/**
 * A text that may be an image although nothing around it says so: it names a registry with a dot or a port, and a tag or a
 * digest. With a hint in its surroundings (`image` in the name of the variable) less will do.
 */
export function parseLikelyImage(text: string, hasHint: boolean): Reference | undefined {
  if (/^[./~-]/.test(text) || /[=,;|&()[\]<>"'\\]/.test(text)) return undefined;
  const reference = parseImageField(text);
  if (reference === undefined || SOURCE_CODE_HOSTS.has(reference.registry)) return undefined;
  const { hasRegistry, hasFolder, hasIdentifier } = writtenParts(text, reference);
  const { repository, tag } = reference;
  if (
    repository.endsWith('.git') ||
    /\.(?:ya?ml|json|sh|tpl|txt|conf|crt|pem|key|html?|so|sock|db|log)$/.test(repository)
  )
    return undefined;
  // `host:8080/path` and `name.namespace.svc:8080` are addresses of services.
  if (/\.(?:svc|local|localhost|internal\.local)(?::|$)/.test(reference.registry)) return undefined;
  if (hasRegistry && !/\.[a-z]{2,}(?::\d+)?$|^localhost:|^\d+(?:\.\d+){3}/i.test(reference.registry)) return undefined;
  if (hasRegistry && hasIdentifier)
    return hasHint || reference.digest !== undefined || !isPort(tag) ? reference : undefined;
  if (!hasHint) return undefined;
  if (hasRegistry) return reference;
  return hasIdentifier && (hasFolder || !isPort(tag)) ? reference : undefined;
}

/** Tags like `8080` behind a bare name are ports as often as versions. */
function isPort(tag: string | undefined): boolean {
  return tag !== undefined && /^\d{3,5}$/.test(tag);
}
