import { formatRepository, type Reference } from '../oci/reference.ts';
import {
  dereference,
  effectiveEntries,
  type YamlEntry,
  type YamlMap,
  type YamlNode,
  type YamlScalar,
  type YamlTree,
} from '../yaml/yaml-tree.ts';
import {
  addIdentifiers,
  joinName,
  parseImageText,
  readFieldText,
  readStringField,
  scalarOf,
  startsWithRegistry,
} from './image-fields.ts';
import type { KnownImages } from './known-images.ts';
import { isUnderPrefix, referenceSuffix, relocateReference, relocatedName } from './relocate-reference.ts';
import type { RelocationRule } from './relocation-rule.ts';
import {
  NO_REPLACED_INDEXES,
  replaceDigestSuffix,
  replaceWholeDigest,
  type ReplacedIndexes,
} from './replaced-indexes.ts';

/** A value that the relocation of an image wants somewhere. */
export interface FieldDemand {
  /** The value as it stands there: a scalar or an alias of one. */
  readonly node: YamlNode;
  readonly value: string;
  /** Set if the value comes from a merge key: the map that wants another one, and the key. */
  readonly merged?: { readonly into: YamlMap; readonly key: string };
}

/**
 * An image that a values file names, and what has to be written for it; if it is under the prefix already, only the new
 * digest of a replaced index.
 */
export interface ImagePlace {
  readonly source: Reference;
  readonly node: YamlNode;
  readonly demands: readonly FieldDemand[];
}

interface Search {
  readonly tree: YamlTree;
  readonly prefix: RelocationRule;
  readonly known: KnownImages;
  readonly replaced: ReplacedIndexes;
  readonly places: ImagePlace[];
  /** Scalars that belong to a place. */
  readonly taken: Set<YamlScalar>;
  readonly doneMaps: Set<YamlMap>;
}

const IMAGE_KEY = /image/i;
const IMAGE_NAME_KEY = /(?:image(?:s|name|repository)?|^repository)$/i;
const IDENTIFIER_KEY = /(?:tag|digest)$/i;
const IMAGE_SIGNS = ['registry', 'tag', 'digest', 'pullPolicy', 'imagePullPolicy'] as const;

/**
 * Finds the images of a values file by the shape of its maps, and strings that name a declared image.
 * A map with `repository` counts if anything else says image: a registry, tag, digest or pull policy beside it, a key
 * above it, a registry in front of the name, or that the chart declares the image.
 */
export function findImagePlaces(
  tree: YamlTree,
  prefix: RelocationRule,
  known: KnownImages,
  replaced: ReplacedIndexes = NO_REPLACED_INDEXES,
): readonly ImagePlace[] {
  const search: Search = { tree, prefix, known, replaced, places: [], taken: new Set(), doneMaps: new Set() };
  for (const root of tree.roots) visitMaps(search, root, '');
  if (known.references.length > 0) for (const root of tree.roots) visitStrings(search, root, '', undefined);
  return search.places;
}

function visitMaps(search: Search, node: YamlNode, key: string): void {
  const target = dereference(node);
  if (target.kind === 'map' && !search.doneMaps.has(target) && findInMap(search, target, key)) {
    search.doneMaps.add(target);
  }
  // The content of an aliased map is visited where its anchor stands.
  if (node.kind === 'map') for (const pair of node.pairs) visitMaps(search, pair.value, pair.keyText ?? '');
  if (node.kind === 'sequence') for (const item of node.items) visitMaps(search, item, key);
}

function findInMap(search: Search, map: YamlMap, key: string): boolean {
  const entries = effectiveEntries(map);
  const nameKey = (['image', 'name'] as const).find((name) => Boolean(readStringField(search.tree, entries.get(name))));
  if (!readStringField(search.tree, entries.get('repository'))) {
    return nameKey !== undefined && findNamedImage(search, map, entries, nameKey, key);
  }
  return (
    (nameKey === 'image' && findSplitRepository(search, map, entries)) ||
    (nameKey !== 'image' && findRepository(search, map, entries, key)) ||
    (nameKey === 'image' && findRepository(search, map, entries, undefined))
  );
}

type Entries = ReadonlyMap<string, YamlEntry>;

/** `registry` (may be absent or empty) and `repository`. An undefined key asks for a declared image. */
function findRepository(search: Search, map: YamlMap, entries: Entries, key: string | undefined): boolean {
  const registry = readRegistry(search, entries);
  const repository = readStringField(search.tree, entries.get('repository')) ?? '';
  if (registry === 'unusable') return false;
  const source = parseImageText(joinName(registry.text, repository));
  if (source === undefined) return false;
  const hasSign =
    key !== undefined &&
    (IMAGE_SIGNS.some((sign) => entries.has(sign)) || IMAGE_KEY.test(key) || startsWithRegistry(repository));
  if (!hasSign && !search.known.hasRepository(source)) return false;
  return addNamePlace(search, map, entries, source, 'repository', repository);
}

/** `image` or `name` with `registry` or `tag` beside it: only for declared images. */
function findNamedImage(search: Search, map: YamlMap, entries: Entries, field: 'image' | 'name', key: string): boolean {
  const registry = readRegistry(search, entries);
  const name = readStringField(search.tree, entries.get(field)) ?? '';
  if (registry === 'unusable') return false;
  const hasRegistry = entries.has('registry');
  const source = parseImageText(joinName(registry.text, name));
  // A complete reference without a registry beside it is found as a string.
  if (source === undefined || (!hasRegistry && referenceSuffix(name) !== '')) return false;
  const tagged = parseImageText(`${formatRepository(source)}:${readFieldText(entries.get('tag'))}`);
  const isDeclared =
    hasRegistry || field === 'image' || IMAGE_KEY.test(key)
      ? search.known.hasRepository(source)
      : tagged !== undefined && search.known.hasImage(tagged);
  return isDeclared && addNamePlace(search, map, entries, source, field, name);
}

/** `repository` holds a folder and `image` the last part of the name, as in `nvcr.io/nvidia` and `driver`. */
function findSplitRepository(search: Search, map: YamlMap, entries: Entries): boolean {
  const registry = readRegistry(search, entries);
  const repository = readStringField(search.tree, entries.get('repository')) ?? '';
  const image = readStringField(search.tree, entries.get('image')) ?? '';
  if (registry === 'unusable') return false;
  const source = parseImageText(joinName(registry.text, repository, image));
  if (source === undefined || !search.known.hasRepository(source)) return false;
  const target = relocateReference(source, search.prefix);
  const lastName = image.slice(0, image.length - referenceSuffix(image).length);
  const name = entries.has('registry') ? target.repository : formatRepository(target);
  // With more than two parts in `image` the kept part is shorter than it.
  const kept = name.endsWith(`/${lastName}`) ? lastName : name.slice(name.lastIndexOf('/') + 1);
  const folder = name.slice(0, name.length - kept.length - 1);
  if (folder === '') return false;
  return addPlace(search, map, entries, source, [
    ...(entries.has('registry') ? [['registry', target.registry] as const] : []),
    ['repository', folder],
    ['image', kept + replaceDigestSuffix(referenceSuffix(image), search.replaced)],
  ]);
}

function addNamePlace(
  search: Search,
  map: YamlMap,
  entries: Entries,
  source: Reference,
  field: string,
  text: string,
): boolean {
  const target = relocateReference(source, search.prefix);
  const suffix = replaceDigestSuffix(referenceSuffix(text), search.replaced);
  const values: readonly (readonly [string, string])[] = entries.has('registry')
    ? [
        ['registry', target.registry],
        [field, target.repository + suffix],
      ]
    : [[field, formatRepository(target) + suffix]];
  return addPlace(search, map, entries, source, values);
}

function addPlace(
  search: Search,
  map: YamlMap,
  entries: Entries,
  source: Reference,
  values: readonly (readonly [string, string])[],
): boolean {
  const named: FieldDemand[] = [];
  for (const [key, value] of values) {
    const entry = entries.get(key);
    const scalar = entry === undefined ? undefined : scalarOf(entry.pair.value);
    if (entry === undefined || scalar === undefined) return false;
    search.taken.add(scalar);
    named.push(toDemand(map, key, entry, value));
  }
  const node = named[named.length - 1]?.node ?? map;
  const names = isUnderPrefix(source, search.prefix) ? demandNewSuffixes(search, named) : named;
  search.places.push({
    source: addIdentifiers(search.tree, source, entries),
    node,
    demands: [...names, ...demandDigests(search, map, entries)],
  });
  return true;
}

function toDemand(map: YamlMap, key: string, { pair, isMerged }: YamlEntry, value: string): FieldDemand {
  return { node: pair.value, value, ...(isMerged ? { merged: { into: map, key } } : {}) };
}

/** The name stays as it is written, the digest behind it does not. */
function demandNewSuffixes(search: Search, demands: readonly FieldDemand[]): readonly FieldDemand[] {
  return demands.flatMap((demand) => {
    const text = scalarOf(demand.node)?.text.trim() ?? '';
    const value = replaceDigestSuffix(text, search.replaced);
    return value === text ? [] : [{ ...demand, value }];
  });
}

/**
 * What else of the map holds the digest of a replaced index: a field with the digest or its hexadecimal part, whatever its
 * key, and a tag with a digest behind it.
 */
function demandDigests(search: Search, map: YamlMap, entries: Entries): readonly FieldDemand[] {
  if (search.replaced.size === 0) return [];
  return [...entries].flatMap(([key, entry]) => {
    const text = scalarOf(entry.pair.value)?.text.trim() ?? '';
    const whole = replaceWholeDigest(text, search.replaced);
    const value = whole === text && IDENTIFIER_KEY.test(key) ? replaceDigestSuffix(text, search.replaced) : whole;
    return value === text ? [] : [toDemand(map, key, entry, value)];
  });
}

/** A registry of another type than string or null (a map of settings, say) makes the whole map unusable. */
function readRegistry(search: Search, entries: Entries): { readonly text: string | null } | 'unusable' {
  if (!entries.has('registry')) return { text: null };
  const text = readStringField(search.tree, entries.get('registry'));
  return text === undefined ? 'unusable' : { text };
}

function visitStrings(search: Search, node: YamlNode, key: string, parent: YamlMap | undefined): void {
  if (node.kind === 'map') {
    for (const pair of node.pairs) visitStrings(search, pair.value, pair.keyText ?? '', node);
  } else if (node.kind === 'sequence') {
    for (const item of node.items) visitStrings(search, item, key, undefined);
  } else {
    findInString(search, node, key, parent);
  }
}

/** A string that is the whole reference of a declared image, or its name under a key that asks for one. */
function findInString(search: Search, node: YamlNode, key: string, parent: YamlMap | undefined): void {
  const scalar = scalarOf(node);
  if (scalar === undefined || search.taken.has(scalar) || IDENTIFIER_KEY.test(key)) return;
  const text = scalar.text.trim();
  // `name@sha256` leaves the hexadecimal part to a field beside it.
  const openDigest = /@sha(?:256|512)$/.exec(text)?.[0] ?? '';
  const source = parseImageText(text.slice(0, text.length - openDigest.length));
  if (source === undefined) return;
  const suffix = referenceSuffix(text);
  const isDeclared =
    suffix === openDigest
      ? (IMAGE_NAME_KEY.test(key) || startsWithRegistry(text)) && search.known.hasRepository(source)
      : search.known.hasImage(source);
  if (!isDeclared) return;
  const value = relocatedName(source, search.prefix) + replaceDigestSuffix(suffix, search.replaced);
  const named = [{ node, value }];
  const names = isUnderPrefix(source, search.prefix) ? demandNewSuffixes(search, named) : named;
  const digests = parent === undefined ? [] : demandDigests(search, parent, effectiveEntries(parent));
  search.places.push({ source, node, demands: [...names, ...digests] });
}
