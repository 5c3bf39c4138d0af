import { DtError, type ErrorCode } from '../errors.ts';
import { isDigest } from '../oci/digest.ts';
import { parseReference, type Reference } from '../oci/reference.ts';
import { applyYamlEdits } from '../yaml/apply-yaml-edits.ts';
import { encodeEditedYaml, readYamlBytes } from '../yaml/edit-yaml-bytes.ts';
import { resolveYamlScalar } from '../yaml/read-yaml-tree.ts';
import type { YamlEdit } from '../yaml/yaml-edits.ts';
import {
  dereference,
  effectiveEntries,
  type YamlEntry,
  type YamlMap,
  type YamlNode,
  type YamlScalar,
  type YamlTree,
} from '../yaml/yaml-tree.ts';
import { scalarOf } from './image-fields.ts';
import { relocateReferenceText } from './relocate-reference.ts';
import { locateNode, type RelocationChange, toChange } from './relocation-change.ts';
import type { RelocationRule } from './relocation-rule.ts';
import { NO_REPLACED_INDEXES, replaceDigest, type ReplacedIndexes } from './replaced-indexes.ts';

/** A file after its relocation. */
export interface RelocatedFile {
  /** The bytes given, if nothing changed. */
  readonly bytes: Uint8Array;
  readonly changes: readonly RelocationChange[];
  /** The images that the file declares, as it named them before. */
  readonly references: readonly Reference[];
}

/** An `image` of a list of images. */
export interface ImageScalar {
  readonly scalar: YamlScalar;
  readonly text: string;
  readonly reference: Reference;
}

/**
 * Relocates `images[].image` of an Images.lock or of `.imgpkg/images.yml`, and writes the digest of a replaced index behind
 * its `indexDigest`: these scalars change and nothing else.
 * Throws DT_LOCK_INVALID for a file of another shape and DT_BAD_REFERENCE, DT_YAML_INVALID, DT_RELOCATION_FAILED.
 */
export function relocateImagesFile(
  bytes: Uint8Array,
  name: string,
  prefix: RelocationRule,
  replaced: ReplacedIndexes = NO_REPLACED_INDEXES,
): RelocatedFile {
  const tree = readYamlBytes(bytes, name);
  const root = tree.roots[0];
  const document = root === undefined ? undefined : dereference(root);
  if (document?.kind !== 'map') throw new DtError('DT_LOCK_INVALID', `${name} is not valid: it is not a map`);
  const list = effectiveEntries(document).get('images')?.pair.value;
  const images = list === undefined ? [] : listImageScalars(tree, list, 'DT_LOCK_INVALID');
  const edits = [
    ...toImageEdits(images, prefix, replaced),
    ...(list === undefined ? [] : toIndexEdits(list, replaced)),
  ];
  const text = applyAllEdits(tree, edits);
  return {
    bytes: encodeEditedYaml(tree, text, bytes),
    changes: edits.flatMap((edit) => toChange(tree, edit) ?? []),
    references: images.map(({ reference }) => reference),
  };
}

/** The `image` scalars of a list of maps, repeated ones (by anchors) once. Throws the code given if it is no such list. */
export function listImageScalars(tree: YamlTree, node: YamlNode, code: ErrorCode): readonly ImageScalar[] {
  const list = dereference(node);
  if (list.kind === 'scalar' && resolveYamlScalar(tree, list.eventIndex) === null) return [];
  if (list.kind !== 'sequence') throw new DtError(code, `${tree.name} is not valid: the images are not a list`);
  const images = new Map<YamlScalar, ImageScalar>();
  for (const item of list.items) {
    const map = dereference(item);
    const image = map.kind === 'map' ? readImage(tree, map) : undefined;
    if (image === undefined) throw new DtError(code, `${tree.name} is not valid: an entry has no image`);
    images.set(image.scalar, image);
  }
  return [...images.values()];
}

function readImage(tree: YamlTree, map: YamlMap): ImageScalar | undefined {
  const entry = effectiveEntries(map).get('image');
  const scalar = entry === undefined ? undefined : dereference(entry.pair.value);
  if (scalar?.kind !== 'scalar') return undefined;
  const text = scalar.text.trim();
  const isText = typeof resolveYamlScalar(tree, scalar.eventIndex) === 'string' && text !== '';
  return isText ? { scalar, text, reference: parseReference(text) } : undefined;
}

export type ScalarEdit = Extract<YamlEdit, { kind: 'set-scalar' }>;

/** The edits that relocate images; of what lies under the prefix already only a replaced digest changes. */
export function toImageEdits(
  images: readonly ImageScalar[],
  prefix: RelocationRule,
  replaced: ReplacedIndexes,
): readonly ScalarEdit[] {
  return images.flatMap(({ scalar, text }) => {
    const value = relocateReferenceText(text, prefix, replaced);
    return value === text ? [] : [{ kind: 'set-scalar' as const, scalar, value }];
  });
}

/** The edits that record the new digests of indexes, each `indexDigest` once. */
function toIndexEdits(list: YamlNode, replaced: ReplacedIndexes): readonly YamlEdit[] {
  const sequence = dereference(list);
  const edits = new Map<YamlScalar, YamlEdit>();
  for (const item of sequence.kind === 'sequence' ? sequence.items : []) {
    const map = dereference(item);
    const entries = map.kind === 'map' ? effectiveEntries(map) : new Map<string, YamlEntry>();
    const after = entries.get('indexDigest')?.pair;
    const index = after === undefined ? undefined : scalarOf(after.value);
    const from = index?.text.trim() ?? '';
    if (after === undefined || index === undefined || !isDigest(from)) continue;
    const value = replaceDigest(from, replaced);
    const present = entries.get('targetIndexDigest')?.pair.value;
    const scalar = present === undefined ? undefined : scalarOf(present);
    if (value === from || scalar?.text.trim() === value) continue;
    edits.set(
      index,
      scalar === undefined
        ? { kind: 'append-pair', after, key: 'targetIndexDigest', value }
        : { kind: 'set-scalar', scalar, value },
    );
  }
  return [...edits.values()];
}

/** Applies edits that are all needed. Throws DT_RELOCATION_FAILED with file and line if one of them is refused. */
export function applyAllEdits(tree: YamlTree, edits: readonly YamlEdit[]): string {
  const { text, refused } = applyYamlEdits(
    tree,
    edits.map((edit) => [edit]),
  );
  const failed = refused[0] === undefined ? undefined : edits[refused[0]];
  if (failed === undefined) return text;
  const { file, line, path } = locateNode(tree, nodeOf(failed));
  throw new DtError(
    'DT_RELOCATION_FAILED',
    `the image at ${path} of ${file} (line ${String(line)}) cannot be rewritten without changing anything else`,
  );
}

function nodeOf(edit: YamlEdit): YamlNode {
  switch (edit.kind) {
    case 'set-scalar':
    case 'splice-scalar':
      return edit.scalar;
    case 'set-alias':
      return edit.alias;
    case 'insert-pair':
      return edit.before.key;
    case 'append-pair':
      return edit.after.key;
  }
}
