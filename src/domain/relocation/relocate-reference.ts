import {
  DEFAULT_TAG,
  DOCKER_HUB_REGISTRY,
  formatReference,
  formatRepository,
  namesRegistry,
  parseReference,
  type Reference,
} from '../oci/reference.ts';
import type { RelocationPrefix } from './relocation-prefix.ts';
import { NO_REPLACED_INDEXES, replaceDigest, replaceDigestSuffix, type ReplacedIndexes } from './replaced-indexes.ts';

/** How many parts at the end of a repository survive a relocation. */
const KEPT_PARTS = 2;

/**
 * The place of an image under the prefix: the last two parts of its repository, the tag as it is, the digest as the target
 * has it. What lies under the prefix already stays where it is, so that relocating twice is the same as once.
 */
export function relocateReference(
  reference: Reference,
  prefix: RelocationPrefix,
  replaced: ReplacedIndexes = NO_REPLACED_INDEXES,
): Reference {
  const keptPath = pathUnderPrefix(reference, prefix) ?? reference.repository.split('/').slice(-KEPT_PARTS).join('/');
  const repository = prefix.path === '' ? keptPath : `${prefix.path}/${keptPath}`;
  const { digest } = reference;
  return {
    ...reference,
    registry: prefix.registry,
    repository,
    ...(digest === undefined ? {} : { digest: replaceDigest(digest, replaced) }),
  };
}

/** True if the image lies under the prefix already. */
export function isUnderPrefix(reference: Reference, prefix: RelocationPrefix): boolean {
  return pathUnderPrefix(reference, prefix) !== undefined;
}

/**
 * Relocates the text of a complete reference, as annotations and locks hold it: an absent identifier becomes
 * `:latest`. Of a text that is under the prefix already only a replaced digest changes. Throws DT_BAD_REFERENCE.
 */
export function relocateReferenceText(
  text: string,
  prefix: RelocationPrefix,
  replaced: ReplacedIndexes = NO_REPLACED_INDEXES,
): string {
  const reference = parseReference(text);
  if (isUnderPrefix(reference, prefix)) return replaceDigestSuffix(text, replaced);
  const target = relocateReference(reference, prefix, replaced);
  const isUnidentified = target.tag === undefined && target.digest === undefined;
  return formatReference(isUnidentified ? { ...target, tag: DEFAULT_TAG } : target);
}

/** The `:tag@digest` at the end of the text of a reference, as it is written there; empty if there is none. */
export function referenceSuffix(text: string): string {
  const at = text.indexOf('@');
  const name = at === -1 ? text : text.slice(0, at);
  const colon = name.lastIndexOf(':');
  return text.slice(colon > name.lastIndexOf('/') ? colon : name.length);
}

/** The rest of the repository behind the prefix, or undefined for an image from elsewhere. */
function pathUnderPrefix(reference: Reference, prefix: RelocationPrefix): string | undefined {
  const folder = prefix.path === '' ? '' : `${prefix.path}/`;
  if (reference.registry.toLowerCase() === prefix.registry.toLowerCase()) {
    return pathBehind(reference.repository, folder);
  }
  // A registry without dot and port reads as a folder of Docker Hub once it stands in a reference.
  if (reference.registry === DOCKER_HUB_REGISTRY && !namesRegistry(prefix.registry)) {
    return pathBehind(reference.repository, `${prefix.registry}/${folder}`);
  }
  return undefined;
}

function pathBehind(repository: string, folder: string): string | undefined {
  return repository.startsWith(folder) ? repository.slice(folder.length) : undefined;
}

/** The name that a relocation gives an image, without tag and digest. */
export function relocatedName(reference: Reference, prefix: RelocationPrefix): string {
  return formatRepository(relocateReference(reference, prefix));
}
