import { DtError } from '../errors.ts';
import { JsonFields } from '../json-fields.ts';
import type { Digest } from '../oci/digest.ts';
import { isRegistryHost, isRepository, isTag } from '../oci/reference.ts';
import { countMarks } from './wrap-json.ts';

const INVENTORY_KIND = 'RegistryInventory';
const INVENTORY_VERSION = 1;

/** Some three hundred thousand blobs: the whole document is held in memory. */
export const MAX_INVENTORY_BYTES = 32 * 1024 * 1024;
export const MAX_INVENTORY_REPOSITORIES = 20_000;
/** What separates values, and stands in every digest. */
const MAX_INVENTORY_MARKS = 2_000_000;

export interface InventoryRepository {
  /** Its whole name in the registry. */
  readonly name: string;
  /** What each tag points to. */
  readonly tags: Readonly<Record<string, Digest>>;
  /** Configs and layers of everything below the tags. */
  readonly blobs: readonly Digest[];
}

/** What a registry holds, to be carried to where wraps are made. */
export interface Inventory {
  readonly kind: typeof INVENTORY_KIND;
  readonly version: typeof INVENTORY_VERSION;
  /** Host and port of the registry. */
  readonly registry: string;
  readonly repositories: readonly InventoryRepository[];
  /** The size of every blob of the repositories, by its digest. */
  readonly sizes: Readonly<Record<Digest, number>>;
}

/** An inventory in the one order that it has: the same content gives the same text. */
export function buildInventory(
  registry: string,
  repositories: readonly InventoryRepository[],
  sizes: ReadonlyMap<Digest, number>,
): Inventory {
  return {
    kind: INVENTORY_KIND,
    version: INVENTORY_VERSION,
    registry,
    repositories: repositories
      .map(({ name, tags, blobs }) => ({ name, tags: sortKeys(Object.entries(tags)), blobs: blobs.toSorted() }))
      .sort((left, right) => compareText(left.name, right.name)),
    sizes: sortKeys([...sizes]),
  };
}

/** The text of an inventory. Throws DT_LIMIT_EXCEEDED for one that `parseInventory` would refuse. */
export function formatInventory(inventory: Inventory): string {
  const text = `${JSON.stringify(inventory, null, 1)}\n`;
  const bytes = Buffer.from(text);
  requireInventoryLimit(bytes.length, MAX_INVENTORY_BYTES, 'bytes');
  requireInventoryLimit(countMarks(bytes), MAX_INVENTORY_MARKS, 'values');
  return text;
}

/** Throws DT_LIMIT_EXCEEDED for more than an inventory may have. */
export function requireInventoryLimit(count: number, limit: number, what: string): void {
  if (count <= limit) return;
  throw new DtError('DT_LIMIT_EXCEEDED', `the inventory has more than ${String(limit)} ${what}`, {
    hints: ['{bin} inventory oci://HOST/PATH with a path that holds less'],
  });
}

/** True for what may be an inventory, and cannot be a lock. */
export function isInventory(bytes: Buffer): boolean {
  return bytes.includes(`"${INVENTORY_KIND}"`);
}

/** Reads and checks an inventory; `name` is what messages call it. Throws DT_INVENTORY_INVALID, DT_LIMIT_EXCEEDED. */
export function parseInventory(bytes: Uint8Array, name: string): Inventory {
  const reject = (why: string): DtError =>
    new DtError('DT_INVENTORY_INVALID', `${name} is not a valid inventory: ${why}`);
  requireInventoryLimit(bytes.length, MAX_INVENTORY_BYTES, 'bytes');
  // Told before it is parsed: every value takes several times its text in memory.
  requireInventoryLimit(countMarks(bytes), MAX_INVENTORY_MARKS, 'values');
  const fields = new JsonFields(reject);
  const root = fields.record(parseText(bytes, reject), 'the document');
  if (root['kind'] !== INVENTORY_KIND) throw reject('it is something else');
  if (root['version'] !== INVENTORY_VERSION) {
    throw reject(`it has version ${JSON.stringify(root['version'])}, and only ${String(INVENTORY_VERSION)} is known`);
  }
  const list = fields.list(root['repositories'], 'repositories');
  requireInventoryLimit(list.length, MAX_INVENTORY_REPOSITORIES, 'repositories');
  const sizes = new Map(
    Object.entries(fields.record(root['sizes'], 'sizes')).map(
      ([digest, size]) => [fields.digest(digest), fields.size(size, 'the size of a blob')] as const,
    ),
  );
  const repositories = list.map((item) => readRepository(item, fields));
  for (const { blobs } of repositories) {
    const unknown = blobs.find((digest) => !sizes.has(digest));
    if (unknown !== undefined) throw reject(`the size of ${unknown} is missing`);
  }
  const registry = fields.textThat(isRegistryHost, root['registry'], 'the registry');
  return buildInventory(registry, repositories, sizes);
}

function parseText(bytes: Uint8Array, reject: (why: string) => DtError): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw reject('it is not JSON');
  }
}

function readRepository(item: unknown, fields: JsonFields): InventoryRepository {
  const record = fields.record(item, 'a repository');
  const tags = Object.entries(fields.record(record['tags'], 'the tags of a repository'));
  return {
    name: fields.textThat(isRepository, record['name'], 'the name of a repository'),
    tags: Object.fromEntries(
      tags.map(([tag, digest]) => [fields.textThat(isTag, tag, 'a tag'), fields.digest(digest)]),
    ),
    blobs: fields.list(record['blobs'], 'the blobs of a repository').map((digest) => fields.digest(digest)),
  };
}

function sortKeys<Key extends string, Value>(entries: readonly (readonly [Key, Value])[]): Record<Key, Value> {
  const sorted = entries.toSorted(([left], [right]) => compareText(left, right));
  return Object.fromEntries(sorted) as Record<Key, Value>;
}

/** By code point, whatever the language of the machine. */
function compareText(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
