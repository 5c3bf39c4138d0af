import type { YamlPath } from '../yaml/yaml-tree.ts';

/** What is done with a value that a rule finds. */
export type UpdateStrategy =
  /** It is an image. */
  | { readonly kind: 'entireValue' }
  /** It is none, whatever the rules behind this one say. */
  | { readonly kind: 'none' }
  /** It is a text with a document, in which these rules hold. */
  | { readonly kind: 'json' | 'yaml'; readonly searchRules: readonly SearchRule[] };

/** A part of a path: a key, a place in a list, or every place of a list. */
export type PathPattern = readonly (string | number | { readonly allIndexes: true })[];

/** Where images stand in objects, as kbld's Config says it. https://carvel.dev/kbld/docs/latest/config/#search-rules */
export interface SearchRule {
  readonly key?: { readonly name: string } | { readonly path: PathPattern };
  readonly value?: ImageMatcher;
  readonly update: UpdateStrategy;
}

/** An image as it is written, or all of a repository as it is written. */
export type ImageMatcher = { readonly image: string } | { readonly imageRepo: string };

/** It stands behind all others, which may say something else of the same key. */
export const DEFAULT_SEARCH_RULE: SearchRule = { key: { name: 'image' }, update: { kind: 'entireValue' } };

/** The rule that counts for a value: the first that matches. `text` is undefined for a value that is no text. */
export function findSearchRule(
  rules: readonly SearchRule[],
  path: YamlPath,
  text: string | undefined,
): SearchRule | undefined {
  return rules.find(({ key, value }) => {
    if (key !== undefined && !matchesKey(key, path)) return false;
    return value === undefined || (text !== undefined && matchesImage(value, text));
  });
}

/** True for the image that a matcher names, or one of its repository. */
export function matchesImage(matcher: ImageMatcher, text: string): boolean {
  return 'image' in matcher ? matcher.image === text : matcher.imageRepo === writtenRepository(text);
}

function matchesKey(key: NonNullable<SearchRule['key']>, path: YamlPath): boolean {
  if ('name' in key) return path.at(-1) === key.name;
  return (
    key.path.length === path.length &&
    key.path.every((part, index) => (typeof part === 'object' ? typeof path[index] === 'number' : part === path[index]))
  );
}

/** What stands in front of tag and digest, letter by letter: no registry is added, none is normalised. */
function writtenRepository(text: string): string {
  return /^([\s\S]+?)(?::[\w.-]+)?(?:@.+:.+)?$/.exec(text)?.[1] ?? text;
}
