import { splitManifests } from '../discovery/parse-manifests.ts';
import { isDtError } from '../errors.ts';
import { isYamlMap, parseYaml } from '../yaml/parse-yaml.ts';
import { readLenientValue } from '../yaml/read-lenient-value.ts';
import type { YamlPath } from '../yaml/yaml-tree.ts';

/** A document of a rendering, by its template and its place among those of it. */
export interface RenderedDocument {
  readonly key: string;
  readonly template: string;
  readonly text: string;
}

/** A place where two documents differ; undefined for what one of them does not have. */
export interface LeafDifference {
  readonly path: YamlPath;
  readonly before: unknown;
  readonly after: unknown;
}

/** The documents in the order of the output. */
export function listDocuments(output: string): readonly RenderedDocument[] {
  const counts = new Map<string, number>();
  return splitManifests(output).map(({ template, text }) => {
    const index = counts.get(template) ?? 0;
    counts.set(template, index + 1);
    return { key: `${template}\0${String(index)}`, template, text };
  });
}

/** Every place where the documents differ: values, keys, and lists of other lengths as a whole. A document that is no YAML is one text. */
export function compareDocumentTexts(before: string, after: string): readonly LeafDifference[] {
  const [left, right] = [parse(before), parse(after)];
  if (left === undefined || right === undefined) return [{ path: [], before, after }];
  return [...compareValues(left.value, right.value, [])];
}

function parse(text: string): { readonly value: unknown } | undefined {
  for (const read of [parseYaml, readLenientValue]) {
    try {
      return { value: read(text, 'the document') };
    } catch (error) {
      if (!isDtError(error)) throw error;
    }
  }
  return undefined;
}

function* compareValues(before: unknown, after: unknown, path: YamlPath): Generator<LeafDifference> {
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    for (const [index, item] of before.entries()) yield* compareValues(item, after[index], [...path, index]);
  } else if (isYamlMap(before) && isYamlMap(after)) {
    yield* compareMaps(before, after, path);
  } else if (!isSame(before, after)) {
    yield { path, before, after };
  }
}

/** Keys that only one of them has are paired in their order: a key may be an image. */
function* compareMaps(
  before: Record<string, unknown>,
  after: Record<string, unknown>,
  path: YamlPath,
): Generator<LeafDifference> {
  const gone = Object.keys(before).filter((key) => !(key in after));
  const added = Object.keys(after).filter((key) => !(key in before));
  const isRenamed = gone.length === added.length;
  for (const key of Object.keys(before)) {
    const newKey = isRenamed ? (added[gone.indexOf(key)] ?? key) : key;
    if (newKey !== key) yield { path: [...path, key], before: key, after: newKey };
    yield* compareValues(before[key], after[newKey], [...path, key]);
  }
  if (!isRenamed) for (const key of added) yield { path: [...path, key], before: undefined, after: after[key] };
}

function isSame(before: unknown, after: unknown): boolean {
  if (before === after) return true;
  const isPlain = [before, after].every((value) => typeof value !== 'object' || value === null);
  return !isPlain && JSON.stringify(before) === JSON.stringify(after);
}
