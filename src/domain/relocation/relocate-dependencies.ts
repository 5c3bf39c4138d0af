import { dependencyDigest } from '../chart/dependency-digest.ts';
import { encodeEditedYaml, readYamlBytes } from '../yaml/edit-yaml-bytes.ts';
import { isYamlMap, parseYaml } from '../yaml/parse-yaml.ts';
import type { YamlEdit } from '../yaml/yaml-edits.ts';
import { dereference, effectiveEntries, type YamlMap, type YamlScalar, type YamlTree } from '../yaml/yaml-tree.ts';
import { scalarOf } from './image-fields.ts';
import { applyAllEdits } from './relocate-image-list.ts';
import { toChange, type RelocationChange } from './relocation-change.ts';

/** A file of a chart that names dependencies. */
export interface DependencyFile {
  readonly bytes: Uint8Array;
  readonly name: string;
}

export interface RelocatedDependencyFile {
  readonly bytes: Uint8Array;
  readonly changes: readonly RelocationChange[];
}

/** Local folders stay; everything else lies in a place that is not there. */
const REMOTE_REPOSITORY = /^(?:https?:\/\/|oci:\/\/|@|alias:)/;

/**
 * Makes the dependencies of a chart come from another repository: `repository` in Chart.yaml or requirements.yaml and in the
 * lock beside it, whose digest fits again if it did before. Throws DT_YAML_INVALID, DT_RELOCATION_FAILED.
 */
export function relocateDependencies(
  declaration: DependencyFile,
  lock: DependencyFile | undefined,
  repository: string,
): { readonly declaration: RelocatedDependencyFile; readonly lock: RelocatedDependencyFile | undefined } {
  const declared = relocateRepositories(declaration, repository, undefined);
  if (lock === undefined) return { declaration: declared, lock: undefined };
  const relocated = relocateRepositories(lock, repository, undefined);
  const digestOfBoth = (requested: Uint8Array, locked: Uint8Array): string =>
    dependencyDigest(readDependencies(requested, declaration.name), readDependencies(locked, lock.name));
  const isCurrent = readDigest(lock) === digestOfBoth(declaration.bytes, lock.bytes);
  const digest = isCurrent ? digestOfBoth(declared.bytes, relocated.bytes) : undefined;
  return { declaration: declared, lock: relocateRepositories(lock, repository, digest) };
}

function relocateRepositories(
  { bytes, name }: DependencyFile,
  repository: string,
  digest: string | undefined,
): RelocatedDependencyFile {
  const tree = readYamlBytes(bytes, name);
  const root = readRoot(tree);
  if (root === undefined) return { bytes, changes: [] };
  const edits: YamlEdit[] = [];
  for (const scalar of listRepositories(root)) {
    const text = scalar.text.trim();
    if (REMOTE_REPOSITORY.test(text) && text !== repository)
      edits.push({ kind: 'set-scalar', scalar, value: repository });
  }
  const digestScalar = scalarAt(root, 'digest');
  if (digest !== undefined && digestScalar !== undefined && digestScalar.text.trim() !== digest)
    edits.push({ kind: 'set-scalar', scalar: digestScalar, value: digest });
  const changes = edits.flatMap((edit) => toChange(tree, edit) ?? []);
  return { bytes: encodeEditedYaml(tree, applyAllEdits(tree, edits), bytes), changes };
}

function listRepositories(root: YamlMap): readonly YamlScalar[] {
  const node = effectiveEntries(root).get('dependencies')?.pair.value;
  const list = node === undefined ? undefined : dereference(node);
  if (list?.kind !== 'sequence') return [];
  const scalars = list.items.flatMap((item) => {
    const map = dereference(item);
    return map.kind === 'map' ? (scalarAt(map, 'repository') ?? []) : [];
  });
  // Two may share one by an alias.
  return [...new Set(scalars)];
}

function scalarAt(map: YamlMap, key: string): YamlScalar | undefined {
  const entry = effectiveEntries(map).get(key);
  return entry === undefined ? undefined : scalarOf(entry.pair.value);
}

function readRoot(tree: YamlTree): YamlMap | undefined {
  const [node] = tree.roots;
  const root = node === undefined ? undefined : dereference(node);
  return root?.kind === 'map' ? root : undefined;
}

function readDependencies(bytes: Uint8Array, name: string): readonly unknown[] {
  const document = parseYaml(Buffer.from(bytes).toString(), name);
  const list: unknown = isYamlMap(document) ? document['dependencies'] : undefined;
  return Array.isArray(list) ? list : [];
}

function readDigest({ bytes, name }: DependencyFile): unknown {
  const document = parseYaml(Buffer.from(bytes).toString(), name);
  return isYamlMap(document) ? document['digest'] : undefined;
}
