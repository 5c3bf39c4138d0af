import { createHash } from 'node:crypto';
import { isYamlMap } from '../yaml/parse-yaml.ts';

/** What Helm encodes of a dependency, in the order of its fields; all but the first and `repository` only if they are set. */
const FIELDS = ['name', 'version', 'repository', 'condition', 'tags', 'enabled', 'import-values', 'alias'] as const;

/**
 * The `digest` that Helm writes into Chart.lock: over the dependencies that the chart asks for and those that were locked.
 * https://github.com/helm/helm/blob/v3.19.0/internal/resolver/resolver.go#L203
 */
export function dependencyDigest(requested: readonly unknown[], locked: readonly unknown[]): string {
  const json = JSON.stringify([requested.map(toDependency), locked.map(toDependency)]);
  return `sha256:${createHash('sha256').update(escapeAsGo(json)).digest('hex')}`;
}

function toDependency(value: unknown): Record<string, unknown> {
  const fields = isYamlMap(value) ? value : {};
  const entries = FIELDS.map((field): readonly [string, unknown] => [field, fields[field]]);
  return Object.fromEntries(
    entries.flatMap(([field, content]) => {
      if (field === 'name' || field === 'repository') return [[field, content ?? '']];
      return isUnset(content) ? [] : [[field, sortKeys(content)]];
    }),
  );
}

function isUnset(content: unknown): boolean {
  if (Array.isArray(content)) return content.length === 0;
  return content === undefined || content === null || content === '' || content === false;
}

/** Go writes the keys of a map in the order of their bytes. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isYamlMap(value)) return value;
  const keys = Object.keys(value).sort((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
  return Object.fromEntries(keys.map((key) => [key, sortKeys(value[key])]));
}

/** https://pkg.go.dev/encoding/json#Marshal */
function escapeAsGo(json: string): string {
  return json.replaceAll(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
