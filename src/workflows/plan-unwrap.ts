import { mapConcurrently } from '../content/map-concurrently.ts';
import type { Descriptor } from '../domain/oci/descriptor.ts';
import type { Digest } from '../domain/oci/digest.ts';
import { formatReference, formatRepository, type Reference } from '../domain/oci/reference.ts';
import { isThere, type CheckedTarget, type TagCheck } from './unwrapping/check-tags.ts';
import { checkTarget, listTargets, type CheckedUnwrap } from './unwrapping/check-target.ts';
import { combineFailures, listFailures } from './collect-failures.ts';
import type { RunContext } from './context.ts';
import { nameSide } from './name-side.ts';
import type { MissingBlob } from './unwrapping/find-base-blobs.ts';
import type { ImagePush } from './unwrapping/plan-image-pushes.ts';
import { prepareUnwrap, type UnwrapSource } from './unwrapping/prepare-unwrap.ts';
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
  readonly charts: readonly { readonly name: string; readonly version: string }[];
  /** Every repository that is written to, sorted. */
  readonly repositories: readonly string[];
  /** The images in the order of the locks, and the charts. */
  readonly tags: readonly PlannedTag[];
  readonly sendBytes: number;
  readonly presentBytes: number;
  /** Of a delta: what the target should have and has not; with any of it, nothing would be pushed. */
  readonly missing: readonly MissingBlob[];
}

/** Finds out what `unwrapCharts` would do, and pushes nothing. Throws the same errors, and what keeps the plan from being complete. */
export async function planUnwrap(source: UnwrapSource, context: RunContext): Promise<UnwrapPlan> {
  return nameSide('destination', async () =>
    context.reporter.section(`Planning to unwrap "${source.file}"`, async () => {
      const prepared = await prepareUnwrap(source, context);
      const checked = await checkTarget(prepared, context);
      try {
        const targets = listTargets(checked);
        const failures = listFailures(
          targets,
          targets.map(({ check }) => check),
          ({ image }) => image,
        );
        if (failures.length > 0) throw combineFailures(failures, { totalCount: targets.length, verb: 'planned' });
        const sizes = await context.reporter.step('Asking the target for its blobs', async () =>
          measureBlobs(listBlobPlaces(checked), context),
        );
        return {
          charts: prepared.charts.map(({ chart: { metadata } }) => ({
            name: metadata.name,
            version: metadata.version,
          })),
          repositories: [...new Set(targets.map(({ reference }) => formatRepository(reference)))].sort(),
          tags: describeTags(checked),
          ...sizes,
          missing: checked.missing,
        };
      } finally {
        await prepared.wrap.close();
      }
    }),
  );
}

function describeTags({ images, charts }: CheckedUnwrap): PlannedTag[] {
  return [
    ...images.map(({ push, tag }) => describeTag(tag, 'image', push.graph.root.descriptor.digest)),
    ...charts.map(({ prepared, tag }) =>
      describeTag(tag, 'chart', prepared.finished.packed.manifest.descriptor.digest),
    ),
  ].flat();
}

function describeTag({ reference, check }: CheckedTarget, kind: PlannedTag['kind'], planned: Digest): PlannedTag[] {
  if ('error' in check) return [];
  const { state } = check.result;
  return [
    {
      reference: formatReference(reference),
      kind,
      digest: state === 'same' ? check.result.digest : planned,
      state,
      ...(state === 'overwritten' ? { previousDigest: check.result.previousDigest } : {}),
    },
  ];
}

/** A blob with the repository of the target that it is pushed to; it is mounted from there into the others. */
interface BlobPlace {
  readonly target: Reference;
  readonly blob: Descriptor;
  /** True if only images need it whose tags are there. */
  readonly isThere: boolean;
}

/** Each blob once per registry, in the first repository that lacks its image. What a base should have is sent by nobody. */
function listBlobPlaces({ images, charts, missing }: CheckedUnwrap): BlobPlace[] {
  const lost = new Set(missing.map(({ digest }) => digest));
  const all = [
    ...images.flatMap(({ push, tag }) => [
      ...push.graph.blobs
        .filter(({ digest }) => !lost.has(digest))
        .map((blob): BlobPlace => ({
          target: push.target,
          blob,
          isThere: isThere(tag) || push.elsewhere?.get(blob.digest)?.mountScope === push.target.registry,
        })),
      ...listAttachedPlaces(push),
    ]),
    ...charts.flatMap(({ prepared, tag }) => [
      ...prepared.finished.packed.blobs.map(({ descriptor }): BlobPlace => ({
        target: prepared.target,
        blob: descriptor,
        isThere: isThere(tag),
      })),
      ...listAttachedPlaces(prepared),
    ]),
  ];
  const places = new Map<string, BlobPlace>();
  for (const place of all) {
    const key = `${place.target.registry} ${place.blob.digest}`;
    const known = places.get(key);
    if (known === undefined || (known.isThere && !place.isThere)) places.set(key, place);
  }
  return [...places.values()];
}

/** That an image is there does not tell whether its signatures are. */
function listAttachedPlaces({ target, attached }: Pick<ImagePush, 'target' | 'attached'>): BlobPlace[] {
  return attached.flatMap(({ graph }) => graph.blobs.map((blob): BlobPlace => ({ target, blob, isThere: false })));
}

async function measureBlobs(
  places: readonly BlobPlace[],
  context: RunContext,
): Promise<Pick<UnwrapPlan, 'sendBytes' | 'presentBytes'>> {
  const found = await mapConcurrently(
    places,
    context,
    async ({ target, blob, isThere }, signal) =>
      isThere || openRepository(context, target, 'push').hasBlob(blob, signal),
  );
  const sum = (isPresent: boolean): number =>
    places.reduce((bytes, { blob }, index) => bytes + (found[index] === isPresent ? blob.size : 0), 0);
  return { sendBytes: sum(false), presentBytes: sum(true) };
}
