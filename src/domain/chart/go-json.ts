/** A map that is written in the order of its keys. A `Map`, because objects move keys like "10" to the front. */
export type OrderedMap = ReadonlyMap<string, unknown>;

const ESCAPED_BY_GO = /[<>&\u2028\u2029]/g;

/** Compact JSON as Go's `encoding/json` writes it: with `<`, `>` and `&` escaped. https://pkg.go.dev/encoding/json#Marshal */
export function formatGoJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map((item: unknown) => formatGoJson(item)).join(',')}]`;
  if (value instanceof Map) return formatEntries([...(value as OrderedMap)]);
  if (typeof value === 'object' && value !== null) return formatEntries(Object.entries(value));
  return JSON.stringify(value).replaceAll(
    ESCAPED_BY_GO,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The entries in byte order of the keys, which is how Go writes maps. */
export function sortedByKey(map: Readonly<Record<string, unknown>>): OrderedMap {
  const entries = Object.entries(map).map(([key, value]) => ({ key, value, order: Buffer.from(key) }));
  entries.sort((left, right) => Buffer.compare(left.order, right.order));
  return new Map(entries.map(({ key, value }) => [key, value]));
}

function formatEntries(entries: readonly (readonly [string, unknown])[]): string {
  return `{${entries
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${formatGoJson(key)}:${formatGoJson(value)}`)
    .join(',')}}`;
}
