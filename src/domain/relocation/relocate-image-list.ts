import { DtError, type ErrorCode } from '../errors.ts';
import { parseReference, type Reference } from '../oci/reference.ts';
import { applyYamlEdits } from '../yaml/apply-yaml-edits.ts';
import { encodeEditedYaml, readYamlBytes } from '../yaml/edit-yaml-bytes.ts';
import { resolveYamlScalar } from '../yaml/read-yaml-tree.ts';
import type { YamlEdit } from '../yaml/yaml-edits.ts';
import {
  dereference,
  effectiveEntries,
  type YamlMap,
  type YamlNode,
  type YamlScalar,
  type YamlTree,
} from '../yaml/yaml-tree.ts';
import { relocateReferenceText } from './relocate-reference.ts';
import { locateNode, type RelocationChange } from './relocation-change.ts';
import type { RelocationPrefix } from './relocation-prefix.ts';

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
 * Relocates `images[].image` of an Images.lock or of `.imgpkg/images.yml`: these scalars change and nothing else.
 * Throws DT_LOCK_INVALID for a file of another shape and DT_BAD_REFERENCE, DT_YAML_INVALID, DT_RELOCATION_FAILED.
 */
export function relocateImagesFile(bytes: Uint8Array, name: string, prefix: RelocationPrefix): RelocatedFile {
  const tree = readYamlBytes(bytes, name);
  const root = tree.roots[0];
  const document = root === undefined ? undefined : dereference(root);
  if (document?.kind !== 'map') throw new DtError('DT_LOCK_INVALID', `${name} is not valid: it is not a map`);
  const list = effectiveEntries(document).get('images')?.pair.value;
  const images = list === undefined ? [] : listImageScalars(tree, list, 'DT_LOCK_INVALID');
  const edits = toImageEdits(images, prefix);
  const text = applyAllEdits(tree, edits);
  return {
    bytes: encodeEditedYaml(tree, text, bytes),
    changes: edits.map(({ scalar, value }) => ({ ...locateNode(tree, scalar), from: scalar.text.trim(), to: value })),
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

/** The edits that relocate images; none for what lies under the prefix already. */
export function toImageEdits(images: readonly ImageScalar[], prefix: RelocationPrefix): readonly ScalarEdit[] {
  return images.flatMap(({ scalar, text }) => {
    const value = relocateReferenceText(text, prefix);
    return value === text ? [] : [{ kind: 'set-scalar' as const, scalar, value }];
  });
}

/** Applies edits that are all needed. Throws DT_RELOCATION_FAILED with file and line if one of them is refused. */
export function applyAllEdits(tree: YamlTree, edits: readonly Exclude<YamlEdit, { kind: 'insert-pair' }>[]): string {
  const { text, refused } = applyYamlEdits(
    tree,
    edits.map((edit) => [edit]),
  );
  const failed = refused[0] === undefined ? undefined : edits[refused[0]];
  if (failed === undefined) return text;
  const { file, line, path } = locateNode(tree, failed.kind === 'set-alias' ? failed.alias : failed.scalar);
  throw new DtError(
    'DT_RELOCATION_FAILED',
    `the image at ${path} of ${file} (line ${String(line)}) cannot be rewritten without changing anything else`,
  );
}
