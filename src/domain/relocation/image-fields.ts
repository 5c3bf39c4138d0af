import { isDtError } from '../errors.ts';
import { isDigest } from '../oci/digest.ts';
import { formatRepository, namesRegistry, parseReference, type Reference } from '../oci/reference.ts';
import { resolveYamlScalar } from '../yaml/read-yaml-tree.ts';
import { dereference, type YamlEntry, type YamlNode, type YamlScalar, type YamlTree } from '../yaml/yaml-tree.ts';

/** Hosts of source code: `github.com/a/b` is a Git repository; images of these services have registries of their own. */
const SOURCE_CODE_HOSTS: ReadonlySet<string> = new Set(['github.com', 'gitlab.com', 'bitbucket.org']);
const MAX_REFERENCE_LENGTH = 600;

/** The text of a field: a string, null for an empty value, undefined for everything that is neither. */
export function readStringField(tree: YamlTree, entry: YamlEntry | undefined): string | null | undefined {
  if (entry === undefined) return undefined;
  const node = dereference(entry.pair.value);
  if (node.kind !== 'scalar') return undefined;
  const value = resolveYamlScalar(tree, node.eventIndex);
  // The content of a block scalar ends with a line break that no image name has.
  if (typeof value === 'string') return node.style === 'literal' || node.style === 'folded' ? value.trim() : value;
  return value === null ? null : undefined;
}

/** The scalar text of a field whatever its type (`1.25`, `true`), empty if there is none. */
export function readFieldText(entry: YamlEntry | undefined): string {
  if (entry === undefined) return '';
  const node = dereference(entry.pair.value);
  return node.kind === 'scalar' ? node.text.trim() : '';
}

/** Parses what may be an image; undefined if it is none: URLs, templates, paths of files, source code hosts. */
export function parseImageText(text: string): Reference | undefined {
  if (text === '' || text.length > MAX_REFERENCE_LENGTH || /[\s{}$%]/.test(text)) return undefined;
  try {
    const reference = parseReference(text);
    return SOURCE_CODE_HOSTS.has(reference.registry) || reference.repository.endsWith('.git') ? undefined : reference;
  } catch (error) {
    if (isDtError(error, 'DT_BAD_REFERENCE')) return undefined;
    throw error;
  }
}

/** An image with the tag and the digest of the fields beside its name; a name that has one of them stays as it is. */
export function addIdentifiers(tree: YamlTree, source: Reference, entries: ReadonlyMap<string, YamlEntry>): Reference {
  if (source.tag !== undefined || source.digest !== undefined) return source;
  const read = (key: string): string =>
    readStringField(tree, entries.get(key)) === null ? '' : readFieldText(entries.get(key));
  const [tag, digest] = [read('tag'), read('digest')];
  const name = formatRepository(source) + (tag === '' ? '' : `:${tag}`);
  return parseImageText(isDigest(digest) ? `${name}@${digest}` : name) ?? source;
}

/** True if the text begins with a registry: `quay.io/…`, `localhost:5000/…`. */
export function startsWithRegistry(text: string): boolean {
  const slash = text.indexOf('/');
  return slash > 0 && namesRegistry(text.slice(0, slash));
}

/** Joins the parts of a name that are not empty with one slash each. */
export function joinName(...parts: readonly (string | null | undefined)[]): string {
  return parts
    .map((part) => (part ?? '').replace(/\/+$/, ''))
    .filter((part) => part !== '')
    .join('/');
}

/** The scalar behind a node, if it is one. */
export function scalarOf(node: YamlNode): YamlScalar | undefined {
  const target = dereference(node);
  return target.kind === 'scalar' ? target : undefined;
}
