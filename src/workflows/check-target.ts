import { formatReference } from '../domain/oci/reference.ts';
import { checkTags, type TagCheck, type TagTarget } from './check-tags.ts';
import { combineFailures, listFailures, type Outcome } from './collect-failures.ts';
import type { RunContext } from './context.ts';
import { acceptedDigests } from './plan-image-pushes.ts';
import type { PreparedUnwrap } from './prepare-unwrap.ts';
import type { CheckedPush } from './push-images.ts';

/** What the target registries say about the tags to come. */
export interface CheckedUnwrap {
  readonly images: readonly CheckedPush[];
  readonly chart: Outcome<TagCheck>;
  /** The images and, last, the chart; `checks` has what was found for each. */
  readonly targets: readonly TagTarget[];
  readonly checks: readonly Outcome<TagCheck>[];
}

/**
 * Asks the target for every tag. A registry that cannot be reached or that refuses us shows here, before anything is read or
 * sent. Throws, closing the wrap, if not one of them could be asked for.
 */
export async function checkTarget(
  { wrap, pushes, packedChart, chartTarget }: PreparedUnwrap,
  context: RunContext,
): Promise<CheckedUnwrap> {
  const targets: TagTarget[] = pushes.map((push) => ({
    image: push.image.image,
    reference: push.target,
    digests: acceptedDigests(push),
  }));
  targets.push({
    image: formatReference(chartTarget),
    reference: chartTarget,
    digests: new Set([packedChart.manifest.descriptor.digest]),
  });
  try {
    const checks = await context.reporter.step(
      'Asking the target for its tags',
      async () => {
        const outcomes = await checkTags(targets, context);
        const failures = listFailures(targets, outcomes, ({ image }) => image);
        if (outcomes.every((outcome) => 'error' in outcome)) {
          throw combineFailures(failures, { totalCount: targets.length, verb: 'asked for' });
        }
        return outcomes;
      },
      describeChecks,
    );
    const images = pushes.map((push, index): CheckedPush => ({ push, check: checks[index] as Outcome<TagCheck> }));
    return { images, chart: checks.at(-1) as Outcome<TagCheck>, targets, checks };
  } catch (error) {
    await wrap.close();
    throw error;
  }
}

function describeChecks(checks: readonly Outcome<TagCheck>[]): string {
  const count = (state: TagCheck['state']): number =>
    checks.filter((check) => 'result' in check && check.result.state === state).length;
  const failedCount = checks.filter((check) => 'error' in check).length;
  const parts = [
    `${String(count('new'))} new`,
    `${String(count('same'))} there already`,
    `${String(count('overwritten'))} with another digest`,
    ...(failedCount === 0 ? [] : [`${String(failedCount)} cannot be asked for`]),
  ];
  return `Tags in the target: ${parts.join(', ')}`;
}
