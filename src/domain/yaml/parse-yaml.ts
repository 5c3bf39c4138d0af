import { CORE_SCHEMA, load, mergeTag, YAMLException } from 'js-yaml';
import { DtError } from '../errors.ts';

/** Aliases beyond this number are taken for an expansion attack. */
const MAX_ALIASES = 10_000;
const MAX_DEPTH = 200;

const SCHEMA = CORE_SCHEMA.withTags([mergeTag]);

/** Decodes UTF-8 strictly and takes a byte order mark off. Throws DT_YAML_INVALID; `name` is what messages call the text. */
export function decodeYamlText(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new DtError('DT_YAML_INVALID', `${name} is not valid UTF-8`, { cause: error });
  }
}

/** Parses one YAML document by the core schema of YAML 1.2. Throws DT_YAML_INVALID with file name and line. */
export function parseYaml(text: string, name: string): unknown {
  try {
    return load(text, { schema: SCHEMA, maxAliases: MAX_ALIASES, maxDepth: MAX_DEPTH });
  } catch (error) {
    throw toYamlError(error, name);
  }
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
