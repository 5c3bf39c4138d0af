import { mapConcurrently } from '../content/map-concurrently.ts';
import type { Descriptor } from '../domain/oci/descriptor.ts';
import { formatReference, formatRepository, type Reference } from '../domain/oci/reference.ts';
import type { TagCheck } from './check-tags.ts';
import { checkTarget, type CheckedUnwrap } from './check-target.ts';
import { combineFailures, listFailures } from './collect-failures.ts';
import type { RunContext } from './context.ts';
import { nameSide } from './name-side.ts';
import { prepareUnwrap, type PreparedUnwrap, type UnwrapSource } from './prepare-unwrap.ts';
import { openRepository } from './registry-stores.ts';

/** A tag that an unwrap would write. */
export interface PlannedTag {
  readonly reference: string;
  readonly kind: 'image' | 'chart';
  /** What the tag points to afterwards. */
  readonly digest: string;
  readonly state: TagCheck['state'];
  /** What it points to now; only of tags that are overwritten. */
  readonly previousDigest?: string;
}

/** What an unwrap would do. Sizes are those of layers and configs, each counted once per registry. */
export interface UnwrapPlan {
  readonly chart: { readonly name: string; readonly version: string };
  /** Every repository that is written to, sorted. */
  readonly repositories: readonly string[];
  /** The images in the order of the lock, and the chart. */
  readonly tags: readonly PlannedTag[];
  readonly bytesToSend: number;
  readonly bytesPresent: number;
}

/** Finds out what `unwrapChart` would do, and pushes nothing. Throws the same errors, and what keeps the plan from being complete. */
export async function planUnwrap(source: UnwrapSource, context: RunContext): Promise<UnwrapPlan> {
  return nameSide('destination', async () =>
    context.reporter.section(`Planning to unwrap "${source.file}"`, async () => {
      const prepared = await prepareUnwrap(source, context);
      const checked = await checkTarget(prepared, context);
      try {
        const { targets, checks } = checked;
        const failures = listFailures(targets, checks, ({ image }) => image);
        if (failures.length > 0) throw combineFailures(failures, { totalCount: targets.length, verb: 'planned' });
        const sizes = await context.reporter.step('Asking the target for its blobs', async () =>
          measureBlobs(listBlobPlaces(prepared, checked), context),
        );
        const { name, version } = prepared.chart.metadata;
        return {
          chart: { name, version },
          repositories: [...new Set(targets.map(({ reference }) => formatRepository(reference)))].sort(),
          tags: describeTags(prepared, checked),
          ...sizes,
        };
      } finally {
        await prepared.wrap.close();
      }
    }),
  );
}

function describeTags({ pushes, packedChart }: PreparedUnwrap, { targets, checks }: CheckedUnwrap): PlannedTag[] {
  return targets.flatMap(({ reference }, index) => {
    const check = checks[index];
    if (check === undefined || 'error' in check) return [];
    const push = pushes[index];
    const { digest } = (push?.graph.root ?? packedChart.manifest).descriptor;
    const kind = push === undefined ? 'chart' : 'image';
    return [{ reference: formatReference(reference), kind, digest, ...check.result }];
  });
}

/** A blob with the repository of the target that it is pushed to; it is mounted from there into the others. */
interface BlobPlace {
  readonly target: Reference;
  readonly blob: Descriptor;
  /** True if only images need it whose tags are there. */
  readonly isThere: boolean;
}

/** Each blob once per registry, in the first repository that lacks its image. */
function listBlobPlaces({ packedChart, chartTarget }: PreparedUnwrap, { images, chart }: CheckedUnwrap): BlobPlace[] {
  const isSame = (check: CheckedUnwrap['chart']): boolean => 'result' in check && check.result.state === 'same';
  const all = [
    ...images.flatMap(({ push: { graph, target }, check }) =>
      graph.blobs.map((blob): BlobPlace => ({ target, blob, isThere: isSame(check) })),
    ),
    ...packedChart.blobs.map(({ descriptor }): BlobPlace => ({
      target: chartTarget,
      blob: descriptor,
      isThere: isSame(chart),
    })),
  ];
  const places = new Map<string, BlobPlace>();
  for (const place of all) {
    const key = `${place.target.registry} ${place.blob.digest}`;
    const known = places.get(key);
    if (known === undefined || (known.isThere && !place.isThere)) places.set(key, place);
  }
  return [...places.values()];
}

async function measureBlobs(
  places: readonly BlobPlace[],
  context: RunContext,
): Promise<Pick<UnwrapPlan, 'bytesToSend' | 'bytesPresent'>> {
  const found = await mapConcurrently(
    places,
    context,
    async ({ target, blob, isThere }, signal) =>
      isThere || openRepository(context, target, 'push').hasBlob(blob, signal),
  );
  const sum = (isPresent: boolean): number =>
    places.reduce((bytes, { blob }, index) => bytes + (found[index] === isPresent ? blob.size : 0), 0);
  return { bytesToSend: sum(false), bytesPresent: sum(true) };
}
