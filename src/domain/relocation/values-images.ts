import { formatReference, type Reference } from '../oci/reference.ts';
import { applyYamlEdits } from '../yaml/apply-yaml-edits.ts';
import type { YamlEdit } from '../yaml/yaml-edits.ts';
import type { YamlTree } from '../yaml/yaml-tree.ts';
import { findImagePlaces } from './find-image-places.ts';
import type { KnownImages } from './known-images.ts';
import { planImageEdits } from './plan-image-edits.ts';
import { locateNode, type RelocationChange, type RelocationRefusal, toChange } from './relocation-change.ts';
import type { RelocationPrefix } from './relocation-prefix.ts';
import { NO_REPLACED_INDEXES, type ReplacedIndexes } from './replaced-indexes.ts';

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
  prefix: RelocationPrefix,
  known: KnownImages,
  replaced: ReplacedIndexes = NO_REPLACED_INDEXES,
): RelocatedValues {
  const places = findImagePlaces(tree, prefix, known, replaced);
  const planned = planImageEdits(tree, places);
  const groups = planned.map((edits) => edits ?? []);
  const { text, refused } = applyYamlEdits(tree, groups);
  const refusedPlaces = new Set([
    ...refused,
    ...planned.flatMap((edits, index) => (edits === undefined ? [index] : [])),
  ]);
  const applied = groups.filter((_, index) => !refusedPlaces.has(index)).flat();
  return {
    text,
    changes: toChanges(tree, applied),
    refused: places
      .filter((_, index) => refusedPlaces.has(index))
      .map(({ source, node }) => ({ ...locateNode(tree, node), image: formatReference(source) })),
    found: places.map((place) => place.source),
  };
}

/** One change for each scalar, also if several images share it. */
function toChanges(tree: YamlTree, edits: readonly YamlEdit[]): readonly RelocationChange[] {
  const changes = new Map<string, RelocationChange>();
  for (const edit of edits) {
    const change = toChange(tree, edit);
    if (change !== undefined) changes.set(`${String(change.line)} ${change.path}`, change);
  }
  return [...changes.values()].sort((left, right) => left.line - right.line);
}
