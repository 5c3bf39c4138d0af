import {
  COLLECTION_STYLE,
  constructFromEvents,
  EVENT_ID,
  type Event,
  getScalarValue,
  SCALAR_STYLE,
  type ScalarEvent,
} from 'js-yaml';
import { DtError } from '../errors.ts';
import { LineIndex } from './line-index.ts';
import { YAML_SCHEMA } from './parse-yaml.ts';
import { readYamlEvents } from './read-yaml-events.ts';
import type {
  YamlAlias,
  YamlMap,
  YamlNode,
  YamlPair,
  YamlPath,
  YamlScalar,
  YamlSequence,
  YamlStyle,
  YamlTree,
} from './yaml-tree.ts';

const STYLES: ReadonlyMap<number, YamlStyle> = new Map<number, YamlStyle>([
  [SCALAR_STYLE.PLAIN, 'plain'],
  [SCALAR_STYLE.SINGLE_QUOTED, 'single-quoted'],
  [SCALAR_STYLE.DOUBLE_QUOTED, 'double-quoted'],
  [SCALAR_STYLE.LITERAL_BLOCK, 'literal'],
  [SCALAR_STYLE.FOLDED_BLOCK, 'folded'],
]);

interface Place {
  readonly path: YamlPath;
  readonly isInFlow: boolean;
  readonly insertAt: number;
}

interface ReadState {
  readonly name: string;
  readonly text: string;
  readonly events: readonly Event[];
  readonly aliases: YamlAlias[];
  anchors: Map<string, YamlScalar | YamlMap | YamlSequence>;
  index: number;
}

/**
 * Parses all documents of a text into nodes that know where they stand. Repeated keys are kept and marked.
 * Throws DT_YAML_INVALID, also for an alias without an anchor.
 */
export function readYamlTree(text: string, name: string): YamlTree {
  const events = readYamlEvents(text, name);
  const state: ReadState = { name, text, events, aliases: [], anchors: new Map(), index: 0 };
  const roots: YamlNode[] = [];
  while (state.index < events.length) {
    state.index++;
    state.anchors = new Map();
    const root = readNode(state, { path: [], isInFlow: false, insertAt: -1 });
    state.index++;
    markAmbiguous(root, false);
    roots.push(root);
  }
  return { name, text, lines: new LineIndex(text), events, roots, aliases: state.aliases };
}

/** The value of a scalar by the core schema of YAML 1.2; undefined if its tag is not known. */
export function resolveYamlScalar(tree: Pick<YamlTree, 'events' | 'text'>, eventIndex: number): unknown {
  const event = tree.events[eventIndex];
  if (event?.type !== EVENT_ID.SCALAR) return undefined;
  if (event.tagStart === -1 && event.style !== SCALAR_STYLE.PLAIN) return getScalarValue(tree.text, event);
  const document: Event = { type: EVENT_ID.DOCUMENT, explicitStart: false, explicitEnd: false, directives: [] };
  try {
    return constructFromEvents([document, event, { type: EVENT_ID.POP }], {
      source: tree.text,
      schema: YAML_SCHEMA,
    })[0];
  } catch {
    return undefined;
  }
}

function readNode(state: ReadState, place: Place): YamlNode {
  const eventIndex = state.index++;
  const event = state.events[eventIndex];
  const base = { path: place.path, eventIndex, isAmbiguous: false };
  switch (event?.type) {
    case EVENT_ID.SCALAR: {
      const scalar = toScalar(state, event, place, eventIndex);
      return anchored(state, event, scalar);
    }
    case EVENT_ID.ALIAS: {
      const target = state.anchors.get(state.text.slice(event.anchorStart, event.anchorEnd));
      if (target === undefined) throw new DtError('DT_YAML_INVALID', `${state.name} uses an alias that has no anchor`);
      const range = { start: event.anchorStart - 1, end: event.anchorEnd };
      const alias: YamlAlias = { kind: 'alias', ...base, ...range, isInFlow: place.isInFlow, target };
      state.aliases.push(alias);
      return alias;
    }
    case EVENT_ID.SEQUENCE: {
      const sequence: YamlSequence = anchored(state, event, { kind: 'sequence', ...base, items: [] });
      const isInFlow = event.style === COLLECTION_STYLE.FLOW;
      while (!atPop(state)) {
        const path = [...place.path, sequence.items.length];
        sequence.items.push(readNode(state, { path, isInFlow, insertAt: -1 }));
      }
      return sequence;
    }
    case EVENT_ID.MAPPING: {
      const isFlow = event.style === COLLECTION_STYLE.FLOW;
      const map: YamlMap = anchored(state, event, { kind: 'map', ...base, isFlow, pairs: [] });
      while (!atPop(state)) map.pairs.push(readPair(state, place.path, isFlow));
      return map;
    }
    default:
      throw new DtError('DT_YAML_INVALID', `${state.name} ends in the middle of a document`);
  }
}

function readPair(state: ReadState, path: YamlPath, isInFlow: boolean): YamlPair {
  const key = readNode(state, { path, isInFlow, insertAt: -1 });
  const target = key.kind === 'alias' ? key.target : key;
  const keyText = target.kind === 'scalar' ? target.text : undefined;
  const insertAt = offsetBehindColon(state.text, key);
  return { key, keyText, value: readNode(state, { path: [...path, keyText ?? '?'], isInFlow, insertAt }) };
}

function atPop(state: ReadState): boolean {
  if (state.events[state.index]?.type !== EVENT_ID.POP) return false;
  state.index++;
  return true;
}

function anchored<T extends YamlScalar | YamlMap | YamlSequence>(
  state: ReadState,
  event: { readonly anchorStart: number; readonly anchorEnd: number },
  node: T,
): T {
  if (event.anchorStart !== -1) state.anchors.set(state.text.slice(event.anchorStart, event.anchorEnd), node);
  return node;
}

function toScalar(state: ReadState, event: ScalarEvent, place: Place, eventIndex: number): YamlScalar {
  // Behind a tag or an anchor there is always room for a value.
  const propertiesEnd = Math.max(event.anchorEnd, event.tagEnd);
  const isEmpty = event.valueStart === -1;
  return {
    kind: 'scalar',
    path: place.path,
    eventIndex,
    isAmbiguous: false,
    text: getScalarValue(state.text, event),
    style: STYLES.get(event.style) ?? 'plain',
    start: event.valueStart,
    end: event.valueEnd,
    insertAt: isEmpty ? (propertiesEnd === -1 ? place.insertAt : propertiesEnd) : -1,
    indent: event.indent,
    isInFlow: place.isInFlow,
  };
}

/** The offset right behind the colon of a key; -1 if no colon follows the key at once (`? key` on a line of its own). */
function offsetBehindColon(text: string, key: YamlNode): number {
  if ((key.kind !== 'scalar' && key.kind !== 'alias') || key.end === -1) return -1;
  const isQuoted = key.kind === 'scalar' && (key.style === 'single-quoted' || key.style === 'double-quoted');
  let offset = isQuoted ? key.end + 1 : key.end;
  while (text[offset] === ' ' || text[offset] === '\t') offset++;
  return text[offset] === ':' ? offset + 1 : -1;
}

function markAmbiguous(node: YamlNode, isAmbiguous: boolean): void {
  node.isAmbiguous = isAmbiguous;
  if (node.kind === 'sequence') {
    for (const item of node.items) markAmbiguous(item, isAmbiguous);
  } else if (node.kind === 'map') {
    const counts = new Map<string | undefined, number>();
    for (const { keyText } of node.pairs) counts.set(keyText, (counts.get(keyText) ?? 0) + 1);
    for (const { keyText, value } of node.pairs) {
      markAmbiguous(value, isAmbiguous || (keyText !== undefined && (counts.get(keyText) ?? 0) > 1));
    }
  }
}
