import { formatReference } from '../../domain/oci/reference.ts';
import { checkTags, isThere, type CheckedTarget, type TagCheck } from './check-tags.ts';
import { combineFailures, listFailures } from '../collect-failures.ts';
import type { RunContext } from '../context.ts';
import { findBaseBlobs, NO_BASE_BLOBS, type MissingBlob } from './find-base-blobs.ts';
import { acceptedDigests, type ImagePush } from './plan-image-pushes.ts';
import type { PreparedChart } from './prepare-chart.ts';
import type { PreparedUnwrap } from './prepare-unwrap.ts';

/** An image with what the target said about its tag. */
export interface CheckedPush {
  readonly push: ImagePush;
  readonly tag: CheckedTarget;
}

/** A chart with what the target said about its tag. */
export interface CheckedChart {
  readonly prepared: PreparedChart;
  readonly tag: CheckedTarget;
}

/** What the target registries say about the tags to come. */
export interface CheckedUnwrap {
  readonly images: readonly CheckedPush[];
  readonly charts: readonly CheckedChart[];
  /** What a delta leaves out and the target does not have. */
  readonly missing: readonly MissingBlob[];
}

/**
 * Asks the target for every tag. A registry that cannot be reached or that refuses us shows here, before anything is read or
 * sent. Looks for what a delta leaves out of images that are not there yet. Throws, closing the wrap, if not one of the tags could be
 * asked for.
 */
export async function checkTarget(
  { wrap, rule, pushes, charts }: Omit<PreparedUnwrap, 'skipped' | 'rule'> & Partial<Pick<PreparedUnwrap, 'rule'>>,
  context: RunContext,
): Promise<CheckedUnwrap> {
  const imageTargets = pushes.map((push) => ({
    image: push.image.image,
    reference: push.target,
    digests: acceptedDigests(push),
    graphs: [push.graph, ...(push.fallback === undefined ? [] : [push.fallback])],
  }));
  const chartTargets = charts.map(({ target, candidates }) => ({
    image: formatReference(target),
    reference: target,
    digests: new Set(candidates.map(({ manifest }) => manifest.descriptor.digest)),
  }));
  try {
    const tags = await context.reporter.step(
      'Asking the target for its tags',
      async () => requireAnswer(await checkTags([...imageTargets, ...chartTargets], context)),
      describeChecks,
    );
    const at = (index: number): CheckedTarget => tags[index] as CheckedTarget;
    const images = pushes.map((push, index) => ({ push, tag: at(index) }));
    const wanted = images.filter(isMissing).map(({ push }) => push);
    const { found, missing } =
      rule === undefined ? NO_BASE_BLOBS : await findBaseBlobs(wrap.document, rule, wanted, context);
    return {
      images: images.map(({ push, tag }) => ({ push: { ...push, elsewhere: found.get(push.target.registry) }, tag })),
      missing,
      charts: charts.map((prepared, index) => ({ prepared, tag: at(pushes.length + index) })),
    };
  } catch (error) {
    await wrap.close();
    throw error;
  }
}

/** True for an image that has to be pushed and can be, as far as its tag tells. */
export function isMissing({ tag }: CheckedPush): boolean {
  return 'result' in tag.check && !isThere(tag);
}

/** All that is to have a tag: the images and, last, the charts. */
export function listTargets({ images, charts }: CheckedUnwrap): CheckedTarget[] {
  return [...images, ...charts].map(({ tag }) => tag);
}

function requireAnswer(tags: readonly CheckedTarget[]): readonly CheckedTarget[] {
  if (tags.length === 0 || tags.some(({ check }) => 'result' in check)) return tags;
  const failures = listFailures(
    tags,
    tags.map(({ check }) => check),
    ({ image }) => image,
  );
  throw combineFailures(failures, { totalCount: tags.length, verb: 'asked for' });
}

function describeChecks(tags: readonly CheckedTarget[]): string {
  const count = (state: TagCheck['state']): number =>
    tags.filter(({ check }) => 'result' in check && check.result.state === state).length;
  const incompleteCount = count('incomplete');
  const failedCount = tags.filter(({ check }) => 'error' in check).length;
  const parts = [
    `${String(count('new'))} new`,
    `${String(count('same'))} there already`,
    ...(incompleteCount === 0 ? [] : [`${String(incompleteCount)} there in part`]),
    `${String(count('overwritten'))} with another digest`,
    ...(failedCount === 0 ? [] : [`${String(failedCount)} cannot be asked for`]),
  ];
  return `Tags in the target: ${parts.join(', ')}`;
}
