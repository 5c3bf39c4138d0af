import { formatReference, type Reference } from '../oci/reference.ts';
import { applyYamlEdits } from '../yaml/apply-yaml-edits.ts';
import type { YamlEdit } from '../yaml/yaml-edits.ts';
import type { YamlTree } from '../yaml/yaml-tree.ts';
import { findImagePlaces } from './find-image-places.ts';
import type { KnownImages } from './known-images.ts';
import { planImageEdits } from './plan-image-edits.ts';
import { locateNode, type RelocationChange, type RelocationRefusal } from './relocation-change.ts';
import type { RelocationPrefix } from './relocation-prefix.ts';

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
 * Relocates the images of a values file in place. Tags and digests are never changed, fields are not added, except
 * where a merge key brings in a registry that others need unchanged.
 */
export function relocateValues(tree: YamlTree, prefix: RelocationPrefix, known: KnownImages): RelocatedValues {
  const places = findImagePlaces(tree, prefix, known);
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

function toChange(tree: YamlTree, edit: YamlEdit): RelocationChange | undefined {
  switch (edit.kind) {
    case 'set-scalar':
      return { ...locateNode(tree, edit.scalar), from: edit.scalar.text.trim(), to: edit.value };
    case 'set-alias': {
      const { target } = edit.alias;
      return { ...locateNode(tree, edit.alias), from: target.kind === 'scalar' ? target.text : '', to: edit.value };
    }
    case 'insert-pair': {
      const place = locateNode(tree, edit.before.key);
      return { ...place, path: place.path === '' ? edit.key : `${place.path}.${edit.key}`, from: '', to: edit.value };
    }
    case 'splice-scalar':
      return undefined;
  }
}
