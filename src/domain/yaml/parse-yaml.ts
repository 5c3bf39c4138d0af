import { CORE_SCHEMA, FAILSAFE_SCHEMA, load, mergeTag, YAMLException } from 'js-yaml';
import { DtError } from '../errors.ts';

/** Aliases beyond this number are taken for an expansion attack. */
const MAX_ALIASES = 10_000;
export const MAX_YAML_DEPTH = 200;

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
  try {
    return load(text, { schema: YAML_SCHEMA, maxAliases: MAX_ALIASES, maxDepth: MAX_YAML_DEPTH });
  } catch (error) {
    throw toYamlError(error, name);
  }
}

/** Parses one YAML document with every scalar as its text: `1.10` stays "1.10", `~` stays "~". Throws DT_YAML_INVALID. */
export function parseYamlTexts(text: string, name: string): unknown {
  try {
    return load(text, { schema: TEXT_SCHEMA, maxAliases: MAX_ALIASES, maxDepth: MAX_YAML_DEPTH });
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
