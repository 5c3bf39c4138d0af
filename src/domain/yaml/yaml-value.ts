import { EVENT_ID } from 'js-yaml';
import { DtError } from '../errors.ts';
import { MAX_YAML_DEPTH } from './parse-yaml.ts';
import { dereference, effectiveEntries, type YamlNode, type YamlScalar, type YamlTree } from './yaml-tree.ts';

/**
 * A scalar that remembers whether it was written plain: `1.10`, `yes` or `0777` mean other things to other readers, so they
 * are compared and written again as they stand, never by their value.
 */
export interface YamlText {
  readonly kind: 'text';
  readonly text: string;
  readonly isPlain: boolean;
  /** As it is written (`!!int`); empty if there is none. */
  readonly tag: string;
}

export interface YamlList {
  readonly kind: 'list';
  readonly items: readonly YamlValue[];
}

/** The pairs in their order, by the text of the key. */
export interface YamlTable {
  readonly kind: 'table';
  readonly pairs: ReadonlyMap<string, YamlEntryValue>;
}

export interface YamlEntryValue {
  readonly key: YamlText;
  readonly value: YamlValue;
}

/** The content of a YAML text without its layout: aliases and merge keys resolved, of a repeated key the last. */
export type YamlValue = YamlText | YamlList | YamlTable;

export const EMPTY_TABLE: YamlTable = { kind: 'table', pairs: new Map() };

/** Nodes with every alias written out: as many as a file of values can hold that Helm can still store. */
const MAX_NODES = 1_000_000;
const NULL_TEXTS: ReadonlySet<string> = new Set(['', '~', 'null', 'Null', 'NULL']);

interface ReadState {
  readonly tree: YamlTree;
  nodes: number;
}

/** The content of one document of the tree. Throws DT_YAML_INVALID for aliases that stand for too much. */
export function readYamlValue(tree: YamlTree, root: YamlNode): YamlValue {
  return readNode({ tree, nodes: 0 }, root, 0);
}

/** True for a value that every reader takes for nothing. */
export function isNullValue(value: YamlValue): boolean {
  return value.kind === 'text' && value.isPlain && value.tag === '' && NULL_TEXTS.has(value.text);
}

function readNode(state: ReadState, node: YamlNode, depth: number): YamlValue {
  if (++state.nodes > MAX_NODES || depth > MAX_YAML_DEPTH) {
    throw new DtError('DT_YAML_INVALID', `${state.tree.name} is refused: its aliases stand for too many nodes`);
  }
  const target = dereference(node);
  switch (target.kind) {
    case 'scalar':
      return readText(state.tree, target);
    case 'sequence':
      return { kind: 'list', items: target.items.map((item) => readNode(state, item, depth + 1)) };
    case 'map': {
      const pairs = [...effectiveEntries(target)].map(([name, { pair }]): [string, YamlEntryValue] => {
        const key = dereference(pair.key);
        const text = key.kind === 'scalar' ? readText(state.tree, key) : plainText(name);
        return [name, { key: text, value: readNode(state, pair.value, depth + 1) }];
      });
      return { kind: 'table', pairs: new Map(pairs) };
    }
  }
}

function readText(tree: YamlTree, scalar: YamlScalar): YamlText {
  const event = tree.events[scalar.eventIndex];
  const hasTag = event?.type === EVENT_ID.SCALAR && event.tagStart !== -1;
  const tag = hasTag ? tree.text.slice(event.tagStart, event.tagEnd) : '';
  // With these tags a plain text is a string as one in quotes.
  if (tag === '!!str' || tag === '!') return { kind: 'text', text: scalar.text, isPlain: false, tag: '' };
  return { kind: 'text', text: scalar.text, isPlain: scalar.style === 'plain', tag };
}

function plainText(text: string): YamlText {
  return { kind: 'text', text, isPlain: true, tag: '' };
}
