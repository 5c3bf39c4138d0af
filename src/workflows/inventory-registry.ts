import { mapConcurrently } from '../content/map-concurrently.ts';
import { DtError, isDtError } from '../domain/errors.ts';
import { formatBytes, formatCount } from '../domain/format-quantity.ts';
import { isRepository } from '../domain/oci/reference.ts';
import { formatOciPrefix, parseRelocationPrefix } from '../domain/relocation/relocation-prefix.ts';
import {
  buildInventory,
  formatInventory,
  MAX_INVENTORY_REPOSITORIES,
  requireInventoryLimit,
  type Inventory,
} from '../domain/wrap/inventory.ts';
import { writeFileAtomically } from '../files/atomic-write.ts';
import { listRepositories } from '../transport/list-repositories.ts';
import type { RunContext } from './context.ts';
import { InventoryReader } from './inventory/inventory-reader.ts';
import { nameSide } from './name-side.ts';
import { openRepository } from './registry-stores.ts';

const MAX_INVENTORY_TAGS = 200_000;

export interface InventoryOptions {
  /** `oci://HOST[/PATH]`: everything below it. */
  readonly place: string;
  /** Names below the place, for registries that do not list their repositories. */
  readonly repositories: readonly string[];
  readonly outputFile?: string | undefined;
}

export interface InventoryResult {
  readonly inventory: Inventory;
  readonly text: string;
  readonly tagCount: number;
  readonly blobCount: number;
  readonly blobBytes: number;
}

interface TaggedPlace {
  readonly repository: string;
  readonly tag: string;
}

/**
 * Lists what a registry holds, for `wrap --base`. Throws DT_BAD_PREFIX, DT_USAGE, DT_LIMIT_EXCEEDED, DT_NOT_FOUND for a place without
 * tags, and the registry errors.
 */
export async function inventoryRegistry(options: InventoryOptions, context: RunContext): Promise<InventoryResult> {
  const { registry, path } = parseRelocationPrefix(options.place);
  const named = options.repositories.map((name) => (path === '' ? name : `${path}/${name}`));
  const wrong = named.find((name) => !isRepository(name));
  if (wrong !== undefined) throw new DtError('DT_USAGE', `"${wrong.slice(0, 300)}" is no name of a repository`);
  return nameSide('source', async () => {
    const repositories = await context.reporter.step(
      'Listing repositories',
      async () => (named.length > 0 ? [...new Set(named)] : findRepositories(registry, path, context)),
      (names) => formatCount(names.length, 'repository', 'repositories'),
    );
    const tagged = await context.reporter.step(
      'Listing tags',
      async () => listAllTags(registry, repositories, named.length > 0, context),
      ({ length }) => formatCount(length, 'tag'),
    );
    if (tagged.length === 0) {
      throw new DtError('DT_NOT_FOUND', `nothing below ${formatOciPrefix({ registry, path })} has a tag`);
    }
    const reader = new InventoryReader();
    await context.reporter.step('Reading manifests', async () =>
      mapConcurrently(tagged, context, async ({ repository, tag }, signal) =>
        reader.addTag(openRepository(context, { registry, repository }), tag, signal),
      ),
    );
    const result = describeInventory(buildInventory(registry, reader.list(), reader.sizes), tagged.length);
    if (options.outputFile !== undefined) await writeFileAtomically(options.outputFile, result.text);
    return result;
  });
}

/** `4 repositories, 12 tags, 30 blobs of 1.2 GB`. */
export function describeCounts({ inventory, tagCount, blobCount, blobBytes }: InventoryResult): string {
  const repositories = formatCount(inventory.repositories.length, 'repository', 'repositories');
  return `${repositories}, ${formatCount(tagCount, 'tag')}, ${formatCount(blobCount, 'blob')} of ${formatBytes(blobBytes)}`;
}

async function findRepositories(registry: string, path: string, context: RunContext): Promise<string[]> {
  const isBelow = (name: string): boolean => path === '' || name === path || name.startsWith(`${path}/`);
  const client = context.clients.forRegistry(registry);
  return listRepositories(client, isBelow, MAX_INVENTORY_REPOSITORIES, context.signal);
}

/** A list of repositories may name some that are empty, or that may not be read; one that the user has named must be there. */
async function listAllTags(
  registry: string,
  repositories: readonly string[],
  isNamed: boolean,
  context: RunContext,
): Promise<TaggedPlace[]> {
  let tagCount = 0;
  const lists = await mapConcurrently(repositories, context, async (repository, signal): Promise<TaggedPlace[]> => {
    const store = openRepository(context, { registry, repository });
    try {
      const tags = await store.listTags(signal);
      tagCount += tags.length;
      requireInventoryLimit(tagCount, MAX_INVENTORY_TAGS, 'tags');
      return tags.map((tag) => ({ repository, tag }));
    } catch (error) {
      if (isNamed || !isDtError(error, 'DT_NOT_FOUND', 'DT_AUTH_DENIED', 'DT_AUTH_REQUIRED')) throw error;
      if (error.code !== 'DT_NOT_FOUND') context.reporter.warn(`left out: ${error.message}`);
      return [];
    }
  });
  return lists.flat();
}

function describeInventory(inventory: Inventory, tagCount: number): InventoryResult {
  const sizes = Object.values(inventory.sizes);
  return {
    inventory,
    text: formatInventory(inventory),
    tagCount,
    blobCount: sizes.length,
    blobBytes: sizes.reduce((sum, size) => sum + size, 0),
  };
}
