import { CORE_SCHEMA, FAILSAFE_SCHEMA, load, mergeTag, YAMLException } from 'js-yaml';
import { DtError } from '../errors.ts';

/** Aliases beyond this number are taken for an expansion attack. */
const MAX_ALIASES = 10_000;
export const MAX_YAML_DEPTH = 200;
/** Nodes of a document with every alias written out; a few hundred aliases can stand for billions of them. */
const MAX_EXPANDED_NODES = 5_000_000;

/** Characters that begin a node, in a document as values: a lock of five thousand images has fewer. */
export const MAX_MARKS = 500_000;
/** In a document with places, of which every node takes several times the memory. */
export const MAX_PLACED_MARKS = 200_000;
const MARKS = new Set(['-', ',', ':', '[', '{', '?', '\n', '\r'].map((mark) => mark.charCodeAt(0)));

export const YAML_SCHEMA = CORE_SCHEMA.withTags([mergeTag]);
const TEXT_SCHEMA = FAILSAFE_SCHEMA.withTags([mergeTag]);

/** Decodes UTF-8 strictly and takes a byte order mark off. Throws DT_YAML_INVALID; `name` is what messages call the text. */
export function decodeYamlText(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new DtError('DT_YAML_INVALID', `${name} is not valid UTF-8`, { cause: error });
  }
}

/** Decodes UTF-8 strictly and keeps a byte order mark, for texts that are written back. Throws DT_YAML_INVALID. */
export function decodeYamlTextExactly(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw new DtError('DT_YAML_INVALID', `${name} is not valid UTF-8`, { cause: error });
  }
}

/** Parses one YAML document by the core schema of YAML 1.2. Throws DT_YAML_INVALID with file name and line. */
export function parseYaml(text: string, name: string): unknown {
  return loadYaml(text, YAML_SCHEMA, name);
}

/** Parses one YAML document with every scalar as its text: `1.10` stays "1.10", `~` stays "~". Throws DT_YAML_INVALID. */
export function parseYamlTexts(text: string, name: string): unknown {
  return loadYaml(text, TEXT_SCHEMA, name);
}

/** Every node takes memory; a short text can have millions. Throws DT_YAML_INVALID. */
export function requireBoundedYaml(text: string, name: string, maxMarks: number): void {
  let marks = 0;
  for (let at = 0; at < text.length; at++) if (MARKS.has(text.charCodeAt(at))) marks++;
  if (marks > maxMarks) throw new DtError('DT_YAML_INVALID', `${name} is refused: it has too many nodes`);
}

function loadYaml(text: string, schema: typeof YAML_SCHEMA, name: string): unknown {
  requireBoundedYaml(text, name, MAX_MARKS);
  let document: unknown;
  try {
    document = load(text, { schema, maxAliases: MAX_ALIASES, maxDepth: MAX_YAML_DEPTH });
  } catch (error) {
    throw toYamlError(error, name);
  }
  if (text.includes('*') && countExpandedNodes(document, new Map()) > MAX_EXPANDED_NODES) {
    throw new DtError(
      'DT_YAML_INVALID',
      `${name} is refused: its aliases stand for more than ${String(MAX_EXPANDED_NODES)} nodes`,
    );
  }
  return document;
}

/** Each shared node is counted as often as it is used and walked once; a node that contains itself counts as endless. */
function countExpandedNodes(node: unknown, counts: Map<object, number>): number {
  if (typeof node !== 'object' || node === null) return 1;
  const known = counts.get(node);
  if (known !== undefined) return known;
  counts.set(node, Number.POSITIVE_INFINITY);
  let count = 1;
  for (const child of Object.values(node)) count += countExpandedNodes(child, counts);
  counts.set(node, count);
  return count;
}

/** Words a failure of the YAML library as DT_YAML_INVALID. */
export function toYamlError(error: unknown, name: string): DtError {
  if (!(error instanceof YAMLException)) throw error;
  const line = error.mark === undefined ? '' : ` (line ${String(error.mark.line + 1)})`;
  return new DtError('DT_YAML_INVALID', `${name} is not valid YAML: ${error.reason}${line}`, { cause: error });
}

/** True for a plain map with string keys. */
export function isYamlMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
