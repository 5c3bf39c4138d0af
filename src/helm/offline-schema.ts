/** Helm reads what these name while it checks the values, from the network or from this machine. */
const REFERENCE_KEYS: ReadonlySet<string> = new Set(['$ref', '$dynamicRef', '$recursiveRef']);
/** Those that Helm knows by itself; any other it fetches. https://json-schema.org/specification-links */
const KNOWN_DIALECT = /^https?:\/\/json-schema\.org\/(?:draft-0[467]\/|draft\/20(?:19-09|20-12)\/)?schema#?$/;
const NO_DEMANDS = '{}';
/** What no version of Helm takes for a schema; some read the beginning of a text alone. */
const BROKEN = '{';

/**
 * What Helm may be given for a `values.schema.json`: the same bytes, or a schema without demands for one that asks for other
 * documents. What is no JSON is refused by Helm, still.
 */
export function toOfflineSchema(bytes: Uint8Array): Uint8Array {
  let schema: unknown;
  try {
    // Helm takes off the mark as well.
    schema = JSON.parse(
      Buffer.from(bytes)
        .toString()
        .replace(/^\ufeff/, ''),
    );
  } catch {
    return Buffer.from(BROKEN);
  }
  return leavesDocument(schema) ? Buffer.from(NO_DEMANDS) : bytes;
}

function leavesDocument(schema: unknown): boolean {
  // Not recursive: the depth is the author's choice.
  const nodes = [schema];
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    if (typeof node !== 'object' || node === null) continue;
    for (const [key, value] of Object.entries(node)) {
      if (typeof value === 'object') nodes.push(value);
      else if (typeof value !== 'string') continue;
      else if (REFERENCE_KEYS.has(key) && !value.startsWith('#')) return true;
      else if (key === '$schema' && !KNOWN_DIALECT.test(value)) return true;
    }
  }
  return false;
}
