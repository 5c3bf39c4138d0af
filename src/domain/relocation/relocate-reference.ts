import { DtError } from '../errors.ts';
import {
  DEFAULT_TAG,
  DOCKER_HUB_REGISTRY,
  formatReference,
  formatRepository,
  isRepository,
  namesRegistry,
  OFFICIAL_PREFIX,
  parseReference,
  type Reference,
} from '../oci/reference.ts';
import { limitParts, nameImage } from './image-naming.ts';
import { applyMapping, isAtTarget } from './relocation-mapping.ts';
import type { RelocationPrefix } from './relocation-prefix.ts';
import { maxImageParts, pullPrefix, type RelocationRule } from './relocation-rule.ts';
import { NO_REPLACED_INDEXES, replaceDigest, replaceDigestSuffix, type ReplacedIndexes } from './replaced-indexes.ts';

/**
 * The name of an image in the relocated chart: under the prefix that it is read from, the tag as it is, the digest as the target
 * has it. What lies there already, or where a mapping puts images, stays, so that relocating twice is the same as once.
 * Throws DT_BAD_PREFIX for a rule that leaves no room for a name, DT_RELOCATION_FAILED for a name that no registry takes.
 */
export function relocateReference(
  reference: Reference,
  rule: RelocationRule,
  replaced: ReplacedIndexes = NO_REPLACED_INDEXES,
): Reference {
  const { digest } = reference;
  const target = placeImage(reference, rule, pullPrefix(rule));
  return digest === undefined ? target : { ...target, digest: replaceDigest(digest, replaced) };
}

/**
 * The place that an image is pushed to: what `relocateReference` says, under the prefix for writing. The same for an image
 * and for what it became. Throws as that does.
 */
export function pushTarget(reference: Reference, rule: RelocationRule): Reference {
  return placeImage(reference, rule, rule);
}

/** True if a relocation leaves the name of the image as it is. */
export function isUnderPrefix(reference: Reference, rule: RelocationRule): boolean {
  if (pathUnderPrefix(reference, pullPrefix(rule)) !== undefined) return true;
  return pathUnderPrefix(reference, rule) === undefined && isMapped(reference, rule);
}

/**
 * Relocates the text of a complete reference, as annotations and locks hold it: an absent identifier becomes
 * `:latest`. Of a text that is under the prefix already only a replaced digest changes. Throws DT_BAD_REFERENCE.
 */
export function relocateReferenceText(
  text: string,
  rule: RelocationRule,
  replaced: ReplacedIndexes = NO_REPLACED_INDEXES,
): string {
  const reference = parseReference(text);
  if (isUnderPrefix(reference, rule)) return replaceDigestSuffix(text, replaced);
  const target = relocateReference(reference, rule, replaced);
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

/** The name that a relocation gives an image, without tag and digest. */
export function relocatedName(reference: Reference, rule: RelocationRule): string {
  return formatRepository(relocateReference(reference, rule));
}

function placeImage(reference: Reference, rule: RelocationRule, { registry, path }: RelocationPrefix): Reference {
  const place = findPlace(reference, rule);
  const isForeign = place.registry !== undefined;
  return withName(reference, {
    registry: isForeign ? place.registry : registry,
    repository: isForeign || path === '' ? place.path : `${path}/${place.path}`,
  });
}

/** Where a rule puts an image: without a registry it is a path under the prefix. */
interface Place {
  readonly registry: string | undefined;
  readonly path: string;
}

/**
 * What lies in its place comes first, the place for reading before that for writing: a name that a relocation has made is never
 * taken for another image's.
 */
function findPlace(reference: Reference, rule: RelocationRule): Place {
  const pulledPath = pathUnderPrefix(reference, pullPrefix(rule));
  if (pulledPath !== undefined) return { registry: undefined, path: pulledPath };
  const pushedPath = pathUnderPrefix(reference, rule);
  if (pushedPath !== undefined) return { registry: undefined, path: withOwner(pushedPath, rule) };
  if (isMapped(reference, rule)) return { registry: reference.registry, path: reference.repository };
  for (const mapping of rule.mappings ?? []) {
    const mapped = applyMapping(reference, mapping);
    if (mapped === undefined) continue;
    if (mapped.registry === undefined) return underPrefix(mapped.repository.split('/'), rule);
    const target = withName(reference, { registry: mapped.registry, repository: mapped.repository });
    // A place under the prefix may be written in full, too.
    const mappedPath = pathUnderEither(target, rule);
    if (mappedPath !== undefined) return underPrefix(mappedPath.split('/'), rule);
    return { registry: target.registry, path: target.repository };
  }
  return underPrefix(nameImage(reference, rule.naming), rule);
}

function underPrefix(parts: readonly string[], rule: RelocationRule): Place {
  return { registry: undefined, path: withOwner(limitParts(parts, maxImageParts(rule)).join('/'), rule) };
}

/** Docker Hub has no names of one part; what is under its root has the same name under the other prefix. */
function withOwner(path: string, rule: RelocationRule): string {
  const needsOwner = [rule, pullPrefix(rule)].some(
    (prefix) => prefix.registry === DOCKER_HUB_REGISTRY && prefix.path === '',
  );
  return needsOwner && !path.includes('/') ? OFFICIAL_PREFIX + path : path;
}

function isMapped(reference: Reference, { mappings = [] }: RelocationRule): boolean {
  return mappings.some((mapping) => isAtTarget(reference, mapping));
}

/** Throws DT_RELOCATION_FAILED. */
function withName(
  reference: Reference,
  { registry, repository }: Pick<Reference, 'registry' | 'repository'>,
): Reference {
  const isShort = registry === DOCKER_HUB_REGISTRY && !repository.includes('/');
  const target = { ...reference, registry, repository: isShort ? OFFICIAL_PREFIX + repository : repository };
  if (isRepository(target.repository)) return target;
  throw new DtError(
    'DT_RELOCATION_FAILED',
    `${formatReference(reference)} would become ${formatRepository(target)}, which is no name of a repository`,
    { hints: ['--map-file FILE with another name for it'] },
  );
}

function pathUnderEither(reference: Reference, rule: RelocationRule): string | undefined {
  return pathUnderPrefix(reference, pullPrefix(rule)) ?? pathUnderPrefix(reference, rule);
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
