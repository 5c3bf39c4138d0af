import type { RelocatedChart } from '../domain/relocation/relocate-chart.ts';
import { formatCount } from '../domain/format-quantity.ts';
import { formatLockPlatform } from '../domain/lock/images-lock.ts';
import { formatReference, formatRepository } from '../domain/oci/reference.ts';
import { checkTarget, type CheckedUnwrap } from './check-target.ts';
import { listOverwrites, refuseOverwrites } from './check-tags.ts';
import { combineFailures } from './collect-failures.ts';
import type { RunContext } from './context.ts';
import { nameSide } from './name-side.ts';
import type { ImagePush } from './plan-image-pushes.ts';
import { requirePushPermission } from './preflight.ts';
import { prepareUnwrap, type PreparedUnwrap, type UnwrapSource } from './prepare-unwrap.ts';
import { pushChart } from './push-chart.ts';
import { isMissing, pushImages, type PushSummary } from './push-images.ts';
import { openRepository } from './registry-stores.ts';

export interface UnwrapChartOptions extends UnwrapSource {
  /** Do not ask. */
  readonly assumeYes: boolean;
  /** Fail, before anything is pushed, if a tag has another digest in the target. */
  readonly noOverwrite?: boolean;
  /** Do not check beforehand whether the registry lets us push. */
  readonly skipPreflight?: boolean;
}

export interface UnwrapChartResult {
  readonly chart: { readonly name: string; readonly version: string };
  /** False if the answer was no: then nothing was pushed. */
  readonly pushed: boolean;
  readonly images: readonly {
    readonly source: string;
    readonly target: string;
    readonly digest: string;
    readonly platforms: readonly string[];
  }[];
  readonly changes: RelocatedChart['changes'];
  /** Present if pushed. */
  readonly chartReference?: string;
  readonly chartDigest?: string;
  readonly installCommand?: string;
  readonly summary?: PushSummary;
}

/**
 * Pushes the images and the relocated chart of a wrap. Everything that can be checked is checked before the first byte
 * is sent. An image that fails does not stop the others; the chart goes last, after every tag was read back from the
 * target, and only if no image failed. Throws DT_BAD_PREFIX, DT_RELOCATION_COLLISION, DT_TAG_EXISTS, the codes of damaged
 * wraps, and the registry errors; one error names all images that failed.
 */
export async function unwrapChart(options: UnwrapChartOptions, context: RunContext): Promise<UnwrapChartResult> {
  return nameSide('destination', async () => {
    const { prepared, checked } = await context.reporter.section(`Unwrapping "${options.file}"`, async () => {
      const prepared = await prepareUnwrap(options, context);
      return { prepared, checked: await checkTarget(prepared, context) };
    });
    try {
      const outline = describePrepared(prepared);
      if (options.noOverwrite === true) refuseOverwrites(checked.targets, checked.checks);
      if (options.assumeYes) warnOfOverwrites(checked, context);
      else if (!(await confirmPush(checked, context))) return { ...outline, pushed: false };
      const pushed = await context.reporter.section('Pushing', async () => push(prepared, checked, options, context));
      return { ...outline, ...pushed };
    } finally {
      await prepared.wrap.close();
    }
  });
}

async function push(
  { packedChart, chartTarget }: PreparedUnwrap,
  { images, chart }: CheckedUnwrap,
  { skipPreflight }: UnwrapChartOptions,
  context: RunContext,
): Promise<Pick<UnwrapChartResult, 'pushed' | 'summary' | 'chartReference' | 'chartDigest' | 'installCommand'>> {
  const { signal } = context;
  const isChartThere = 'result' in chart && chart.result.state === 'same';
  if (skipPreflight !== true) {
    const repositories = images.filter(isMissing).map((image) => image.push.target);
    await requirePushPermission(isChartThere ? repositories : [...repositories, chartTarget], context);
  }
  const { summary, failures } = await pushImages(images, context);
  const chartReference = formatReference(chartTarget);
  const allFailures = 'error' in chart ? [...failures, { image: chartReference, error: chart.error }] : failures;
  if (allFailures.length > 0) {
    const detail = 'The chart was not pushed.';
    const totalCount = images.length + allFailures.length - failures.length;
    throw combineFailures(allFailures, { totalCount, verb: 'pushed', detail });
  }
  await context.reporter.step(
    'Pushing the chart',
    async () =>
      isChartThere ? undefined : pushChart(packedChart, openRepository(context, chartTarget, 'push'), signal),
    () => `Helm chart ${isChartThere ? 'is' : 'pushed to'} ${chartReference}`,
  );
  const isPlainHttp = await context.clients.forRegistry(chartTarget.registry).usesPlainHttp(signal);
  const installCommand =
    `helm install oci://${formatRepository(chartTarget)} --version ${packedChart.version} --generate-name` +
    (isPlainHttp ? ' --plain-http' : '');
  return {
    pushed: true,
    summary,
    chartReference,
    chartDigest: packedChart.manifest.descriptor.digest,
    installCommand,
  };
}

function describePrepared({ chart, pushes, relocated }: PreparedUnwrap): Omit<UnwrapChartResult, 'pushed'> {
  const { name, version } = chart.metadata;
  return { chart: { name, version }, images: pushes.map(describePush), changes: relocated.changes };
}

function warnOfOverwrites({ targets, checks }: CheckedUnwrap, context: RunContext): void {
  for (const overwrite of listOverwrites(targets, checks)) context.reporter.warn(`overwriting ${overwrite}`);
}

/** Asked outside of any section, so that a live display does not draw over the question. */
async function confirmPush({ images, targets, checks }: CheckedUnwrap, context: RunContext): Promise<boolean> {
  const { reporter, prompter } = context;
  const list = (title: string, lines: readonly string[]): void => {
    if (lines.length > 0) reporter.info(title);
    for (const line of lines) reporter.info(`  ${line}`);
  };
  list(
    'To be pushed:',
    targets.map(({ reference }, index) => formatReference(reference) + (index < images.length ? '' : ' (chart)')),
  );
  list('To be overwritten:', listOverwrites(targets, checks));
  list(
    'Not possible:',
    targets.flatMap(({ reference }, index) => {
      const check = checks[index];
      return check !== undefined && 'error' in check ? [`${formatReference(reference)}: ${check.error.message}`] : [];
    }),
  );
  return prompter.confirm(`Push ${formatCount(images.length, 'image')} and the chart?`);
}

function describePush({ image, target, graph }: ImagePush): UnwrapChartResult['images'][number] {
  return {
    source: image.image,
    target: formatReference(target),
    digest: graph.root.descriptor.digest,
    platforms: image.digests.map(formatLockPlatform),
  };
}
