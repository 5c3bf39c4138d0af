import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { BlobThread } from '../archive/blob-thread.ts';
import { readPartialLock } from '../archive/partial-wrap.ts';
import { PARTIAL_EXTENSION, requireRegularOutput } from '../archive/wrap-writer.ts';
import { countBlobBytes } from '../content/read-graph.ts';
import type { Chart } from '../domain/chart/chart.ts';
import { IMAGE_ANNOTATION_KEYS, readChartImages } from '../domain/chart/images-annotation.ts';
import { DtError, errorMessage } from '../domain/errors.ts';
import { formatBytes, formatCount, formatDuration } from '../domain/format-quantity.ts';
import { formatLockPlatform, LOCK_FILE_NAME, type LockImage } from '../domain/lock/images-lock.ts';
import { WRAP_EXTENSION, wrapFolder } from '../domain/wrap/wrap-document.ts';
import { acquireOutputLock } from '../files/output-lock.ts';
import { requireWritablePlace } from '../files/output-place.ts';
import type { RunContext } from './context.ts';
import { fetchChart, type ChartSource } from './fetch-chart.ts';
import { listImagesLock, lockImages, verifyChartLock, type LockedChart, type LockOptions } from './lock-images.ts';
import { nameSide } from './name-side.ts';
import { readSourceDateSeconds } from './source-date.ts';
import { gatherImages } from './gather-images.ts';
import { writeWrap } from './write-wrap.ts';

export interface WrapChartOptions extends LockOptions {
  readonly source: ChartSource;
  /** Default: `NAME-VERSION.wrap.tgz` in the working directory. */
  readonly outputFile?: string | undefined;
  /** Wrap a chart in which no image is found. */
  readonly allowEmpty: boolean;
  /** Leave the images out: a light wrap. */
  readonly skipImages: boolean;
  /** No links between platform layouts, for the Go tool. */
  readonly isCompatible: boolean;
  /** Do not check beforehand whether the output can be written and has the space that it needs. */
  readonly skipPreflight?: boolean;
}

export interface WrapChartResult {
  readonly chart: { readonly name: string; readonly version: string };
  readonly file: string;
  readonly sizeBytes: number;
  readonly images: readonly {
    readonly reference: string;
    readonly platforms: readonly string[];
  }[];
}

/**
 * Makes one file of a chart and its images. The file appears under its name only when it is complete. One image that fails
 * does not stop the others; the error names all that failed.
 * Throws DT_CHART_NO_IMAGES and what fetching, locking, copying and writing throw.
 */
export async function wrapChart(options: WrapChartOptions, context: RunContext): Promise<WrapChartResult> {
  const { reporter } = context;
  return nameSide('source', async () =>
    reporter.section(`Wrapping Helm chart "${options.source.location}"`, async () => {
      const chart = await fetchChart(options.source, context);
      const outputFile = options.outputFile ?? wrapFolder(chart.metadata) + WRAP_EXTENSION;
      if (outputFile === '') throw new DtError('DT_USAGE', 'the name of the output file is empty');
      await requireRegularOutput(outputFile);
      if (options.skipPreflight !== true) await requireWritablePlace(outputFile);
      const locked = await lockChart(chart, options, context);
      requireImages(chart, locked, options, context);
      await createParentFolder(outputFile);
      const release = await acquireOutputLock(`${outputFile}${PARTIAL_EXTENSION}.lock`, outputFile);
      try {
        const lockText = await chooseLockText(locked.lockText, outputFile, context);
        await writeImages(chart, { ...locked, lockText }, outputFile, options, context);
      } finally {
        await release();
      }
      return {
        chart: { name: chart.metadata.name, version: chart.metadata.version },
        file: outputFile,
        sizeBytes: (await stat(outputFile)).size,
        images: locked.lock.images.map(describeImage),
      };
    }),
  );
}

async function lockChart(chart: Chart, options: WrapChartOptions, context: RunContext): Promise<LockedChart> {
  const { reporter } = context;
  const hasLock = chart.tree.some(({ path }) => path === LOCK_FILE_NAME);
  if (hasLock) {
    if (options.platforms.length > 0) {
      reporter.warn(`--platforms has no effect: the chart has an ${LOCK_FILE_NAME}, and that one is used`);
    }
    return reporter.step(
      `Verifying ${LOCK_FILE_NAME}`,
      async () => (await verifyChartLock(chart, options, context)) ?? lockImages(chart, options, context),
      ({ lock }) => `${LOCK_FILE_NAME} verified (${countImages(lock.images)})`,
    );
  }
  if (options.skipImages) return { ...listImagesLock(chart, options, context), sources: [] };
  return reporter.step(
    `Locking images`,
    async () => lockImages(chart, options, context),
    ({ lock }) => `${LOCK_FILE_NAME} written (${countImages(lock.images)})`,
  );
}

function requireImages(chart: Chart, { lock }: LockedChart, options: WrapChartOptions, context: RunContext): void {
  if (lock.images.length > 0) return;
  if (options.allowEmpty) {
    context.reporter.warn(`No images found in ${chart.metadata.name}: the wrap holds the chart only`);
    return;
  }
  const keys = options.annotationsKey === undefined ? IMAGE_ANNOTATION_KEYS : [options.annotationsKey];
  throw new DtError('DT_CHART_NO_IMAGES', `no image is found in the chart ${chart.metadata.name}`, {
    detail: `Images are read from these annotations of Chart.yaml: ${keys.join(', ')}.`,
    hints: [
      'name the images in an annotation, or the annotation with --annotations-key',
      '{bin} wrap … --allow-empty to wrap the chart alone',
    ],
  });
}

async function writeImages(
  chart: Chart,
  locked: LockedChart,
  outputFile: string,
  options: WrapChartOptions,
  context: RunContext,
): Promise<void> {
  const wrap = {
    chart,
    locked,
    outputFile,
    isCompatible: options.isCompatible,
    skipPreflight: options.skipPreflight ?? false,
    discovered: readChartImages(chart, options),
  };
  if (options.skipImages || locked.sources.length === 0) {
    return context.reporter.step('Writing the wrap', async (progress) =>
      writeWrap({ ...wrap, images: [] }, context, progress),
    );
  }
  const startedAt = performance.now();
  return context.reporter.section('Pulling images', async () => {
    let totalBytes = 0;
    await context.reporter.step(
      'Pulling',
      async (progress) => {
        const thread = new BlobThread();
        try {
          const images = await gatherImages(locked, context);
          totalBytes = countBlobBytes(images.map(({ image }) => image.graph));
          await writeWrap({ ...wrap, images, thread }, context, progress);
        } finally {
          await thread.close();
        }
      },
      () =>
        `${formatCount(locked.lock.images.length, 'image')}, ${formatBytes(totalBytes)} in ${formatDuration(performance.now() - startedAt)}`,
    );
  });
}

/** The lock of an interrupted run, if it is the same but for its time: then the bytes of that run fit. */
async function chooseLockText(lockText: string, outputFile: string, context: RunContext): Promise<string> {
  if (readSourceDateSeconds(context.environment) !== undefined) return lockText;
  const partialText = await readPartialLock(outputFile + PARTIAL_EXTENSION);
  const withoutTime = (text: string): string => text.replace(/^ *generatedAt: .*$/m, '');
  return partialText !== undefined && withoutTime(partialText) === withoutTime(lockText) ? partialText : lockText;
}

async function createParentFolder(outputFile: string): Promise<void> {
  try {
    await mkdir(dirname(resolve(outputFile)), { recursive: true });
  } catch (error) {
    throw new DtError('DT_OUTPUT_FAILED', `cannot create the folder of ${outputFile}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}

function describeImage({ image, digests }: LockImage): WrapChartResult['images'][number] {
  return {
    reference: image,
    platforms: digests.map(formatLockPlatform),
  };
}

function countImages(images: readonly LockImage[]): string {
  const platformImages = images.reduce((sum, { digests }) => sum + digests.length, 0);
  return `${formatCount(images.length, 'image')}, ${formatCount(platformImages, 'platform image')}`;
}
