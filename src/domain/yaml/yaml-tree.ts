import type { Event } from 'js-yaml';
import type { LineIndex } from './line-index.ts';

/** Keys and list positions from the root of a document. */
export type YamlPath = readonly (string | number)[];

export type YamlStyle = 'plain' | 'single-quoted' | 'double-quoted' | 'literal' | 'folded';

interface YamlNodeBase {
  readonly path: YamlPath;
  /** Place in the event stream. */
  readonly eventIndex: number;
  /** True below a key that its map holds more than once: which one counts depends on the reader. */
  isAmbiguous: boolean;
}

/** Offsets are UTF-16 indices into the text of the tree. */
export interface YamlScalar extends YamlNodeBase {
  readonly kind: 'scalar';
  /** The decoded content. */
  readonly text: string;
  readonly style: YamlStyle;
  /** The range of the content, without quotes; -1 for an empty value. */
  readonly start: number;
  readonly end: number;
  /** Where an empty value can be written; -1 if that is not possible or not needed. */
  readonly insertAt: number;
  /** Columns in front of the lines of a block scalar, else -1. */
  readonly indent: number;
  readonly isInFlow: boolean;
}

export interface YamlAlias extends YamlNodeBase {
  readonly kind: 'alias';
  readonly start: number;
  readonly end: number;
  readonly isInFlow: boolean;
  readonly target: YamlScalar | YamlMap | YamlSequence;
}

export interface YamlPair {
  readonly key: YamlNode;
  /** The text of a scalar key, undefined for every other key. */
  readonly keyText: string | undefined;
  readonly value: YamlNode;
}

export interface YamlMap extends YamlNodeBase {
  readonly kind: 'map';
  readonly isFlow: boolean;
  readonly pairs: YamlPair[];
}

export interface YamlSequence extends YamlNodeBase {
  readonly kind: 'sequence';
  readonly items: YamlNode[];
}

export type YamlNode = YamlScalar | YamlAlias | YamlMap | YamlSequence;

/** A parsed text with the place of everything in it. */
export interface YamlTree {
  /** What messages call the text. */
  readonly name: string;
  readonly text: string;
  readonly lines: LineIndex;
  readonly events: readonly Event[];
  /** The root of each document. */
  readonly roots: readonly YamlNode[];
  readonly aliases: readonly YamlAlias[];
}

/** What an alias stands for, or the node itself. */
export function dereference(node: YamlNode): YamlScalar | YamlMap | YamlSequence {
  return node.kind === 'alias' ? node.target : node;
}

/** A path for people: `a.b[0]`, with quotes around keys that hold a dot or other punctuation. */
export function formatYamlPath(path: YamlPath): string {
  return path
    .map((part, index) => {
      if (typeof part === 'number') return `[${String(part)}]`;
      const key = /^[\w-]+$/.test(part) ? part : JSON.stringify(part);
      return index === 0 ? key : `.${key}`;
    })
    .join('');
}

/** A key of a map as a reader of the values sees it, merge keys resolved. */
export interface YamlEntry {
  readonly pair: YamlPair;
  /** True if the pair lies in a map that a merge key (`<<`) brings in. */
  readonly isMerged: boolean;
}

/** All keys of the map: its own first, then those of merged maps, the first of which wins. */
export function effectiveEntries(map: YamlMap): ReadonlyMap<string, YamlEntry> {
  const entries = new Map<string, YamlEntry>();
  collectEntries(map, false, entries, new Set());
  return entries;
}

function collectEntries(map: YamlMap, isMerged: boolean, entries: Map<string, YamlEntry>, seen: Set<YamlMap>): void {
  if (seen.has(map)) return;
  seen.add(map);
  const own = new Map<string, YamlPair>();
  for (const pair of map.pairs) {
    if (pair.keyText !== undefined && !isMergePair(pair)) own.set(pair.keyText, pair);
  }
  for (const [key, pair] of own) {
    if (!entries.has(key)) entries.set(key, { pair, isMerged });
  }
  for (const pair of map.pairs.filter(isMergePair)) {
    const value = dereference(pair.value);
    const sources = value.kind === 'sequence' ? value.items.map(dereference) : [value];
    for (const source of sources) if (source.kind === 'map') collectEntries(source, true, entries, seen);
  }
}

function isMergePair(pair: YamlPair): boolean {
  return pair.keyText === '<<' && pair.key.kind === 'scalar' && pair.key.style === 'plain';
}
