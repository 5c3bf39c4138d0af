import { DtError } from '../errors.ts';
import type { ImageOverride } from '../manifests/image-override.ts';
import type { ImageMatcher, PathPattern, SearchRule, UpdateStrategy } from '../manifests/search-rule.ts';
import { readPlatform, type Platform } from '../oci/platform.ts';
import { isYamlMap } from '../yaml/parse-yaml.ts';

export const KBLD_API_VERSION = 'kbld.k14s.io/v1alpha1';
export const KBLD_CONFIG_KIND = 'Config';
/** The older kinds have the fields of Config, each a part of them. */
const CONFIG_KINDS: ReadonlySet<unknown> = new Set([
  KBLD_CONFIG_KIND,
  'Sources',
  'ImageOverrides',
  'ImageDestinations',
  'ImageKeys',
]);
const UPDATE_KINDS = ['none', 'entireValue', 'json', 'yaml'] as const;
/** Rules that hold in texts in texts. */
const MAX_RULE_DEPTH = 10;

/** What a kbld Config says. https://carvel.dev/kbld/docs/latest/config/ */
export interface KbldConfig {
  readonly overrides: readonly ImageOverride[];
  /** Those of `keys` first. */
  readonly searchRules: readonly SearchRule[];
}

type Fields = Readonly<Record<string, unknown>>;

/** True for a document that tells kbld what to do and is no manifest. */
export function isKbldConfig({ apiVersion, kind }: Fields): boolean {
  return apiVersion === KBLD_API_VERSION && CONFIG_KINDS.has(kind);
}

/**
 * Reads such a document. The version of kbld that it asks for is not looked at. Throws DT_CONFIG_INVALID, also for one that has images
 * built, or selects tags by version; `name` is what messages call it.
 */
export function parseKbldConfig(document: Fields, name: string): KbldConfig {
  const reader = new ConfigReader(name);
  for (const field of ['sources', 'destinations']) {
    if (reader.list(document[field], field).length > 0) {
      throw reader.refuse(`its ${field} ask for images to be built, which kbld does and this program does not`);
    }
  }
  const keys = reader.list(document['keys'], 'keys').map((key): SearchRule => ({
    key: { name: reader.text(key, 'a key') },
    update: { kind: 'entireValue' },
  }));
  return {
    overrides: reader.list(document['overrides'], 'overrides').map((item) => reader.override(item)),
    searchRules: [...keys, ...reader.searchRules(document['searchRules'], 0)],
  };
}

class ConfigReader {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  refuse(why: string): DtError {
    return new DtError('DT_CONFIG_INVALID', `${this.#name} is not valid: ${why}`);
  }

  list(value: unknown, what: string): readonly unknown[] {
    if (value === undefined || value === null) return [];
    if (Array.isArray(value)) return value;
    throw this.refuse(`${what} is not a list`);
  }

  text(value: unknown, what: string): string {
    if (typeof value === 'string' && value !== '') return value;
    throw this.refuse(`${what} is missing or no text`);
  }

  override(value: unknown): ImageOverride {
    const fields = this.#map(value, 'an override');
    const matcher = this.#imageMatcher(fields, 'an override');
    const what = `the override of ${'image' in matcher ? matcher.image : matcher.imageRepo}`;
    if (fields['tagSelection'] !== undefined) {
      throw this.refuse(`${what} selects a tag by its version, which is not supported: name the tag in newImage`);
    }
    const { preresolved, platformSelection } = fields;
    return {
      matcher,
      newImage: this.text(fields['newImage'], `newImage of ${what}`),
      isPreresolved: preresolved === true,
      origins: [],
      ...(platformSelection === undefined ? {} : { platform: this.#platform(platformSelection, what) }),
      file: this.#name,
    };
  }

  searchRules(value: unknown, depth: number): readonly SearchRule[] {
    if (depth > MAX_RULE_DEPTH) throw this.refuse('its search rules are nested too deeply');
    return this.list(value, 'searchRules').map((item): SearchRule => {
      const { keyMatcher, valueMatcher, updateStrategy } = this.#map(item, 'a search rule');
      if (keyMatcher === undefined && valueMatcher === undefined) {
        throw this.refuse('a search rule needs a keyMatcher or a valueMatcher');
      }
      return {
        ...(keyMatcher === undefined ? {} : { key: this.#keyMatcher(keyMatcher) }),
        ...(valueMatcher === undefined
          ? {}
          : { value: this.#imageMatcher(this.#map(valueMatcher, 'a valueMatcher'), 'a valueMatcher') }),
        update: this.#updateStrategy(updateStrategy, depth),
      };
    });
  }

  #map(value: unknown, what: string): Fields {
    if (isYamlMap(value)) return value;
    throw this.refuse(`${what} is not a map`);
  }

  #imageMatcher({ image, imageRepo }: Fields, what: string): ImageMatcher {
    if (image !== undefined && image !== '') return { image: this.text(image, `image of ${what}`) };
    return { imageRepo: this.text(imageRepo, `image or imageRepo of ${what}`) };
  }

  #keyMatcher(value: unknown): NonNullable<SearchRule['key']> {
    const { name, path } = this.#map(value, 'a keyMatcher');
    if (name !== undefined && name !== '') return { name: this.text(name, 'the name of a keyMatcher') };
    const parts = this.list(path, 'the path of a keyMatcher');
    if (parts.length === 0) throw this.refuse('a keyMatcher needs a name or a path');
    return { path: parts.map((part) => this.#pathPart(part)) };
  }

  #pathPart(part: unknown): PathPattern[number] {
    if (typeof part === 'string') return part;
    const { index, allIndexes } = this.#map(part, 'a part of a path');
    if (typeof index === 'number') return index;
    if (allIndexes === true) return { allIndexes: true };
    throw this.refuse('a part of a path is a key, or has index or allIndexes');
  }

  #updateStrategy(value: unknown, depth: number): UpdateStrategy {
    if (value === undefined || value === null) return { kind: 'entireValue' };
    const strategy = this.#map(value, 'an updateStrategy');
    const kind = UPDATE_KINDS.find((known) => strategy[known] !== undefined);
    if (kind === undefined) throw this.refuse(`an updateStrategy is one of ${UPDATE_KINDS.join(', ')}`);
    if (kind === 'none' || kind === 'entireValue') return { kind };
    const { searchRules } = this.#map(strategy[kind], `the updateStrategy ${kind}`);
    return { kind, searchRules: this.searchRules(searchRules, depth + 1) };
  }

  #platform(value: unknown, what: string): Platform {
    const platform = readPlatform(value);
    if (platform !== undefined) return platform;
    throw this.refuse(`the platformSelection of ${what} needs os and architecture`);
  }
}
