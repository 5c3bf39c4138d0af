import { requireRegularOutput } from '../archive/output-path.ts';
import type { CopySummary } from '../content/copy-job.ts';
import { DtError } from '../domain/errors.ts';
import { formatBytes, formatCount, formatDuration } from '../domain/format-quantity.ts';
import {
  isSameLockImage,
  listLockPlatforms,
  type ImagesLock,
  type LockImage,
  type LockPlatform,
} from '../domain/lock/images-lock.ts';
import type { PulledImage } from '../domain/wrap/pulled-images.ts';
import type { RunContext } from './context.ts';
import {
  makeLayoutsFolder,
  recordPulledImages,
  withLayoutsFolder,
  type LayoutsFolder,
} from './layouts/layouts-folder.ts';
import { packPulledChart } from './layouts/pack-pulled-chart.ts';
import { resolveLocked } from './layouts/resolve-locked.ts';
import { writeLayouts } from './layouts/write-layouts.ts';
import { parseLocalLock, readLocalChart } from './locking/chart-lock-file.ts';
import { nameSide } from './name-side.ts';
import { gatherImages, type GatheredImage, type GatherOptions } from './wrapping/gather-images.ts';

export interface PullImagesOptions extends GatherOptions {
  /** A folder or a .tgz, locked. */
  readonly chart: string;
  /** Default: `images` in the chart folder, or beside the archive. */
  readonly imagesFolder?: string | undefined;
  /** Also pack chart and images into this file. */
  readonly outputFile?: string | undefined;
}

export interface PullImagesResult {
  readonly chart: { readonly name: string; readonly version: string };
  readonly imagesFolder: string;
  readonly images: readonly {
    readonly reference: string;
    /** The index or manifest that the reference has; absent if it is not the one of the lock any more. */
    readonly digest?: string;
    readonly platforms: readonly LockPlatform[];
    /** Signatures and the like. */
    readonly attachedCount: number;
  }[];
  readonly summary: { readonly fetchedBytes: number; readonly blobs: CopySummary['blobs'] };
  readonly file?: string;
  readonly sizeBytes?: number;
}

interface Pulled {
  readonly images: readonly GatheredImage[];
  /** Those with their index. */
  readonly whole: readonly GatheredImage[];
  readonly summary: Omit<CopySummary, 'failures'>;
}

/**
 * Brings the images of a lock into layouts on disk; what is there, whole and right, is not fetched again. Throws
 * DT_FILE_NOT_FOUND without a lock, DT_OUTPUT_BUSY while another pull is at the folder, and what registries and disk say.
 */
export async function pullImages(options: PullImagesOptions, context: RunContext): Promise<PullImagesResult> {
  const { outputFile } = options;
  if (outputFile === '') throw new DtError('DT_USAGE', 'the name of the output file is empty');
  const local = await readLocalChart(options.chart, undefined, context);
  const lock = parseLocalLock(local);
  if (outputFile !== undefined) await requireRegularOutput(outputFile);
  const folder = await makeLayoutsFolder(local, options.imagesFolder);
  const { name, version } = local.chart.metadata;
  return nameSide('source', async () =>
    context.reporter.section(`Pulling the images of ${name} ${version}`, async () =>
      withLayoutsFolder(folder, async (layouts) => {
        const { images, whole, summary } = await pullLocked(lock, layouts, options, context);
        const pulled = whole.map(describePulled);
        await recordPulledImages(layouts, pulled);
        const result = {
          chart: { name, version },
          imagesFolder: folder.path,
          images: lock.images.map((image) => describeImage(image, whole)),
          summary: { fetchedBytes: summary.sentBytes, blobs: summary.blobs },
        };
        if (outputFile === undefined) return result;
        const sizeBytes = await context.reporter.step('Packing chart and images', async () =>
          packPulledChart(outputFile, { chart: local, images, pulled }, folder, context),
        );
        return { ...result, file: outputFile, sizeBytes };
      }),
    ),
  );
}

async function pullLocked(
  lock: ImagesLock,
  layouts: LayoutsFolder,
  options: GatherOptions,
  context: RunContext,
): Promise<Pulled> {
  const startedAt = performance.now();
  return context.reporter.step(
    'Pulling',
    async (progress) => {
      const resolved = await resolveLocked(lock, context);
      const [whole = []] = await gatherImages([resolved.whole], options, context);
      // What is attached to an image is found by what its reference points to.
      const platforms = await gatherImages(resolved.platforms, { ...options, skipAttached: true }, context);
      const images = [...whole, ...platforms.flat()];
      return { images, whole, summary: await writeLayouts(images, layouts, context, progress) };
    },
    ({ summary }) => describeSummary(lock, summary, performance.now() - startedAt),
  );
}

function describeSummary({ images }: ImagesLock, { sentBytes }: Pulled['summary'], durationMs: number): string {
  return `${formatCount(images.length, 'image')}, ${formatBytes(sentBytes)} fetched in ${formatDuration(durationMs)}`;
}

function describePulled({ lockImage, graph, isFiltered, attached }: GatheredImage): PulledImage {
  const { chart, name, image, digests } = lockImage;
  return {
    chart,
    name,
    image,
    root: graph.root.descriptor.digest,
    digests: digests.map(({ digest }) => digest),
    isFiltered,
    attached: attached.map(({ artifact }) => artifact),
  };
}

function describeImage(image: LockImage, whole: readonly GatheredImage[]): PullImagesResult['images'][number] {
  const gathered = whole.find(({ lockImage }) => isSameLockImage(lockImage, image));
  return {
    reference: image.image,
    ...(gathered === undefined ? {} : { digest: gathered.graph.root.descriptor.digest }),
    platforms: listLockPlatforms(image),
    attachedCount: gathered?.attached.length ?? 0,
  };
}
