import { DtError, isDtError } from '../errors.ts';
import type { Reference } from '../oci/reference.ts';
import { encodeEditedYaml, readYamlBytes } from '../yaml/edit-yaml-bytes.ts';
import { readYamlTree, resolveYamlScalar } from '../yaml/read-yaml-tree.ts';
import { planYamlEdit, type YamlEdit } from '../yaml/yaml-edits.ts';
import { dereference, effectiveEntries, type YamlEntry, type YamlScalar, type YamlTree } from '../yaml/yaml-tree.ts';
import { applyAllEdits, listImageScalars, type RelocatedFile, toImageEdits } from './relocate-image-list.ts';
import { locateNode, type RelocationChange } from './relocation-change.ts';
import type { RelocationRule } from './relocation-rule.ts';
import { NO_REPLACED_INDEXES, type ReplacedIndexes } from './replaced-indexes.ts';

interface RelocatedAnnotation {
  readonly edits: readonly Extract<YamlEdit, { kind: 'splice-scalar' }>[];
  readonly changes: readonly RelocationChange[];
  readonly references: readonly Reference[];
}

/**
 * Relocates the images in annotations of a Chart.yaml. The value of each annotation is a YAML text of its own: only its
 * `image` scalars change, and the annotation keeps its style. An annotation that the chart does not have is skipped.
 * Throws DT_ANNOTATION_INVALID, DT_BAD_REFERENCE, DT_YAML_INVALID and DT_RELOCATION_FAILED.
 */
export function relocateAnnotations(
  bytes: Uint8Array,
  name: string,
  keys: readonly string[],
  prefix: RelocationRule,
  replaced: ReplacedIndexes = NO_REPLACED_INDEXES,
): RelocatedFile {
  const tree = readYamlBytes(bytes, name);
  const root = tree.roots[0];
  const document = root === undefined ? undefined : dereference(root);
  const annotations = document?.kind === 'map' ? effectiveEntries(document).get('annotations') : undefined;
  const map = annotations === undefined ? undefined : dereference(annotations.pair.value);
  const entries = map?.kind === 'map' ? effectiveEntries(map) : new Map<string, YamlEntry>();
  const relocated = [...new Set(keys)].flatMap((key) => {
    const entry = entries.get(key);
    return entry === undefined ? [] : [relocateAnnotation(tree, key, entry, prefix, replaced)];
  });
  const edits = relocated.flatMap((annotation) => annotation.edits);
  // Two keys may share one value by an alias.
  const unique = [...new Map(edits.map((edit) => [edit.scalar, edit])).values()];
  return {
    bytes: encodeEditedYaml(tree, applyAllEdits(tree, unique), bytes),
    changes: relocated.flatMap((annotation) => annotation.changes),
    references: relocated.flatMap((annotation) => annotation.references),
  };
}

function relocateAnnotation(
  tree: YamlTree,
  key: string,
  entry: YamlEntry,
  prefix: RelocationRule,
  replaced: ReplacedIndexes,
): RelocatedAnnotation {
  const label = `annotation "${key}" of ${tree.name}`;
  const scalar = dereference(entry.pair.value);
  const value = scalar.kind === 'scalar' ? resolveYamlScalar(tree, scalar.eventIndex) : undefined;
  if (scalar.kind !== 'scalar' || (typeof value !== 'string' && value !== null)) {
    throw new DtError('DT_ANNOTATION_INVALID', `${label} is not valid: it is not a text`);
  }
  const inner = readAnnotationTree(scalar.text, label);
  const root = inner.roots[0];
  const images = root === undefined ? [] : listImageScalars(inner, root, 'DT_ANNOTATION_INVALID');
  const imageEdits = toImageEdits(images, prefix, replaced);
  // Checks that the annotation reads as wanted; the splices themselves are made in the outer text.
  applyAllEdits(inner, imageEdits);
  const splices = imageEdits.flatMap((edit) => planYamlEdit(inner, edit)?.splices ?? []);
  return {
    edits: splices.length === 0 ? [] : [{ kind: 'splice-scalar', scalar, splices }],
    changes: imageEdits.map((edit) => ({
      ...locateAnnotatedImage(tree, scalar, inner, edit.scalar),
      from: edit.scalar.text.trim(),
      to: edit.value,
    })),
    references: images.map(({ reference }) => reference),
  };
}

function readAnnotationTree(text: string, label: string): YamlTree {
  try {
    return readYamlTree(text, label);
  } catch (error) {
    if (!isDtError(error, 'DT_YAML_INVALID')) throw error;
    throw new DtError('DT_ANNOTATION_INVALID', `${label} is not valid: it is not YAML`, { cause: error });
  }
}

/** The lines of a block scalar are lines of the file; in other styles the line of the annotation has to do. */
function locateAnnotatedImage(
  tree: YamlTree,
  scalar: YamlScalar,
  inner: YamlTree,
  image: YamlScalar,
): Pick<RelocationChange, 'file' | 'line' | 'path'> {
  const outerPlace = locateNode(tree, scalar);
  const innerPlace = locateNode(inner, image);
  const line = scalar.style === 'literal' ? tree.lines.lineOf(scalar.start) + innerPlace.line - 1 : outerPlace.line;
  return { file: outerPlace.file, line, path: outerPlace.path + innerPlace.path };
}
