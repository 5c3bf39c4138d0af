import type { Random } from './random.ts';

type Json = Record<string, unknown> | unknown[];
interface Place {
  readonly parent: Json;
  readonly key: string;
}

const HOSTILE_VALUES: readonly unknown[] = [
  ...[
    null,
    true,
    false,
    0,
    -1,
    1.5,
    1e300,
    2 ** 53,
    Number.MAX_SAFE_INTEGER,
    '',
    '/',
    '..',
    '../x/chart',
    '/etc/passwd',
  ],
  ...[
    'a/b/chart',
    'demo-1.2.3',
    'demo-1.2.3/chart',
    'other-1.2.3/chart',
    'C:/chart',
    '\u0000',
    '\u202e',
    '__proto__',
    'x'.repeat(5_000),
  ],
  ...['sha256:', `sha256:${'0'.repeat(64)}`, `sha512:${'a'.repeat(128)}`, 'sha256:../../x', 'latest', 'a'.repeat(129)],
  ...['linux/amd64', 'application/vnd.oci.image.index.v1+json', 'application/vnd.oci.image.manifest.v1+json'],
  ...[[], {}, [[]], [null], { digest: null }, ['x']],
];
const MAX_DEPTH = 500;
const MAX_COPIES = 2_000;

/** A document with one to three things in it forged: values, keys, lists, the places of values. */
export function forgeJson(document: unknown, random: Random): unknown {
  const root = { root: structuredClone(document) };
  for (let count = 1 + random.below(3); count > 0; count--) forgeOnce(root, random);
  return root.root;
}

function forgeOnce(root: { root: unknown }, random: Random): void {
  const places = listPlaces(root);
  const { parent, key } = random.pick(places);
  const other = random.pick(places);
  const value = read({ parent, key });
  switch (random.below(9)) {
    case 0:
    case 1:
      write({ parent, key }, structuredClone(random.pick(HOSTILE_VALUES)));
      return;
    case 2:
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else if (key !== 'root') Reflect.deleteProperty(parent, key);
      return;
    case 3:
      write({ parent, key }, structuredClone(read(other)));
      return;
    case 4: {
      const moved = structuredClone(read(other));
      write(other, structuredClone(value));
      write({ parent, key }, moved);
      return;
    }
    case 5:
      if (Array.isArray(parent)) parent.splice(Number(key), 0, ...repeat(value, 1 + random.below(3)));
      return;
    case 6: {
      if (Array.isArray(parent)) parent.push(...repeat(value, random.below(MAX_COPIES)));
      return;
    }
    case 7: {
      let nested: unknown = value;
      for (let depth = random.below(MAX_DEPTH); depth > 0; depth--) nested = depth % 2 === 0 ? [nested] : { a: nested };
      write({ parent, key }, nested);
      return;
    }
    default:
      write({ parent, key }, nudge(value, random));
  }
}

/** A value that is nearly the same. */
function nudge(value: unknown, random: Random): unknown {
  if (typeof value === 'number') return value + random.pick([-1, 1, 512, -512, 0.5, 2 ** 32]);
  if (typeof value !== 'string') return [value];
  const at = random.below(value.length + 1);
  return (
    value.slice(0, at) +
    random.pick(['a', '0', '/', '.', ':', '-', ' ', 'é', '\u0000']) +
    value.slice(at + random.below(2))
  );
}

function repeat(value: unknown, count: number): unknown[] {
  return Array.from({ length: count }, () => structuredClone(value));
}

function listPlaces(parent: Json): Place[] {
  const places: Place[] = [];
  for (const key of Object.keys(parent)) {
    places.push({ parent, key });
    const value = read({ parent, key });
    // What an earlier step has made is not walked through.
    if (typeof value === 'object' && value !== null && places.length < MAX_COPIES)
      places.push(...listShallow(value as Json, 0));
  }
  return places;
}

function listShallow(parent: Json, depth: number): Place[] {
  if (depth > 8) return [];
  const keys = Object.keys(parent).slice(0, 200);
  return keys.flatMap((key) => {
    const value = read({ parent, key });
    return [
      { parent, key },
      ...(typeof value === 'object' && value !== null ? listShallow(value as Json, depth + 1) : []),
    ];
  });
}

function read({ parent, key }: Place): unknown {
  return (parent as Record<string, unknown>)[key];
}

function write({ parent, key }: Place, value: unknown): void {
  (parent as Record<string, unknown>)[key] = value;
}
