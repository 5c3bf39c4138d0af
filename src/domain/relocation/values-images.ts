import { formatReference, type Reference } from '../oci/reference.ts';
import { applyYamlEdits } from '../yaml/apply-yaml-edits.ts';
import type { YamlEdit } from '../yaml/yaml-edits.ts';
import { formatYamlPath, type YamlNode, type YamlScalar, type YamlTree } from '../yaml/yaml-tree.ts';
import { findImagePlaces, type ImagePlace } from './find-image-places.ts';
import type { KnownImages } from './known-images.ts';
import { planImageEdits } from './plan-image-edits.ts';
import { locateNode, type RelocationChange, type RelocationRefusal, toChange } from './relocation-change.ts';
import type { RelocationRule } from './relocation-rule.ts';
import { NO_REPLACED_INDEXES, type ReplacedIndexes } from './replaced-indexes.ts';

/** A scalar, or a part of one, that images are known to begin with, and what it becomes. */
export interface ScalarHead {
  readonly scalar: YamlScalar;
  /** Offset of the part in the decoded text; undefined where the whole value is given, as for an empty one. */
  readonly start: number | undefined;
  readonly from: string;
  readonly to: string;
  /** How it is reported. */
  readonly change: RelocationChange;
}

/** What is known of a values file from renderings. */
export interface ProvenHeads {
  readonly heads: readonly ScalarHead[];
  /** What the shape of maps and strings says of the rest counts too. */
  readonly usesShapes: boolean;
}

export interface RelocatedValues {
  /** The whole text; equal to the one given but for the scalars in `changes`. */
  readonly text: string;
  readonly changes: readonly RelocationChange[];
  /** Images that were found but left alone, because they cannot be changed without changing something else. */
  readonly refused: readonly RelocationRefusal[];
  /** Every image that the file names, as it named it before; those under the prefix included. */
  readonly found: readonly Reference[];
}

/**
 * Relocates the images of a values file in place. Tags are never changed, digests only if their index was replaced; fields
 * are not added, except where a merge key brings in a registry or a digest that others need unchanged.
 */
export function relocateValues(
  tree: YamlTree,
  prefix: RelocationRule,
  known: KnownImages,
  replaced: ReplacedIndexes = NO_REPLACED_INDEXES,
  proven?: ProvenHeads,
): RelocatedValues {
  const found = findImagePlaces(tree, prefix, known, replaced);
  const places = proven === undefined ? found : found.filter((place) => mayBeEdited(place, proven));
  const heads = [...Map.groupBy(proven?.heads ?? [], ({ scalar }) => scalar)];
  const planned: readonly (readonly YamlEdit[] | undefined)[] = [
    ...planImageEdits(tree, places),
    ...heads.map(([scalar, parts]) => [toHeadEdit(scalar, parts)]),
  ];
  const groups = planned.map((edits) => edits ?? []);
  const { text, refused } = applyYamlEdits(tree, groups);
  const refusedPlaces = new Set([
    ...refused,
    ...planned.flatMap((edits, index) => (edits === undefined ? [index] : [])),
  ]);
  const applied = groups.filter((_, index) => index < places.length && !refusedPlaces.has(index)).flat();
  const appliedHeads = heads.flatMap(([, parts], index) => (refusedPlaces.has(places.length + index) ? [] : parts));
  return {
    text,
    changes: sortChanges([...toChanges(tree, applied), ...appliedHeads.map(({ change }) => change)]),
    refused: places
      .filter((_, index) => refusedPlaces.has(index))
      .map(({ source, node }) => ({ ...locateNode(tree, node), image: formatReference(source) })),
    found: found.map((place) => place.source),
  };
}

/** A place next to a proven one is not edited by its shape: what is proven says all that the map needs. */
function mayBeEdited({ node, demands }: ImagePlace, { heads, usesShapes }: ProvenHeads): boolean {
  if (!usesShapes) return false;
  const covered = new Set(heads.map(({ scalar }) => mapPath(scalar)));
  return [node, ...demands.map((demand) => demand.node)].every((item) => !covered.has(mapPath(item)));
}

function mapPath({ path }: YamlNode): string {
  return formatYamlPath(path.slice(0, -1));
}

function toHeadEdit(scalar: YamlScalar, parts: readonly ScalarHead[]): YamlEdit {
  const [first] = parts;
  const isWhole = parts.length === 1 && first !== undefined && scalar.text.trim() === first.from;
  if (first !== undefined && (isWhole || first.start === undefined)) {
    return { kind: 'set-scalar', scalar, value: first.to };
  }
  const splices = parts.flatMap(({ start, from, to }) =>
    start === undefined ? [] : [{ start, end: start + from.length, replacement: to }],
  );
  return { kind: 'splice-scalar', scalar, splices };
}

function sortChanges(changes: readonly RelocationChange[]): readonly RelocationChange[] {
  return changes.toSorted((left, right) => left.line - right.line);
}

/** One change for each scalar, also if several images share it. */
function toChanges(tree: YamlTree, edits: readonly YamlEdit[]): readonly RelocationChange[] {
  const changes = new Map<string, RelocationChange>();
  for (const edit of edits) {
    const change = toChange(tree, edit);
    if (change !== undefined) changes.set(`${String(change.line)} ${change.path}`, change);
  }
  return [...changes.values()];
}
