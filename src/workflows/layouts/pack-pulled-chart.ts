import { stat } from 'node:fs/promises';
import { writeTarGzip } from '../../archive/tar-gzip-file.ts';
import type { WrapEntry } from '../../archive/wrap-plan.ts';
import { LayoutCollection } from '../../content/layout-collection.ts';
import { verifyBlob } from '../../content/verified-stream.ts';
import { LOCK_FILE_NAME } from '../../domain/lock/images-lock.ts';
import { formatPulledImages, PULLED_IMAGES_NAME, type PulledImage } from '../../domain/wrap/pulled-images.ts';
import { IMAGES_FOLDER, wrapFolder } from '../../domain/wrap/wrap-document.ts';
import { replaceFileAtomically } from '../../files/atomic-write.ts';
import type { ContainedFolder } from '../../files/contained-folder.ts';
import type { RunContext } from '../context.ts';
import type { LocalChart } from '../locking/chart-lock-file.ts';
import { readSourceDateSeconds } from '../source-date.ts';
import { chartEntries, fileEntry } from '../wrapping/file-entry.ts';
import type { GatheredImage } from '../wrapping/gather-images.ts';
import { LayoutWriter } from '../wrapping/layout-writer.ts';
import { createParentFolder } from '../wrapping/require-output-place.ts';

export interface PulledChart {
  readonly chart: LocalChart;
  readonly images: readonly GatheredImage[];
  readonly pulled: readonly PulledImage[];
}

/**
 * Packs the chart with its lock and its layouts as `NAME-VERSION/…` into one file, straight from the layouts. Each large blob is in
 * it once, and linked where it occurs again. Returns the size. Throws DT_OUTPUT_FAILED, DT_DISK_FULL.
 */
export async function packPulledChart(
  outputFile: string,
  content: PulledChart,
  folder: ContainedFolder,
  context: RunContext,
): Promise<number> {
  const store = await LayoutCollection.open(folder);
  await createParentFolder(outputFile);
  await replaceFileAtomically(outputFile, async (place) =>
    writeTarGzip(place, listEntries(content), {
      mtimeSeconds: readSourceDateSeconds(context.environment) ?? 0,
      signal: context.signal,
      openBlob: async (digest, size) => {
        const descriptor = { digest, size, mediaType: '' };
        return verifyBlob(await store.openBlob(descriptor, context), descriptor, store.name);
      },
    }),
  );
  return (await stat(outputFile)).size;
}

function listEntries({ chart: { chart, lockBytes }, images, pulled }: PulledChart): WrapEntry[] {
  const top = wrapFolder(chart.metadata);
  const layouts = new LayoutWriter({ smallBlobs: new Map(), isCompatible: false });
  for (const image of images) layouts.addPlatformLayouts(`${top}/${IMAGES_FOLDER}`, image);
  for (const image of images) {
    layouts.addIndexLayout(`${top}/${IMAGES_FOLDER}`, image);
    for (const { graph } of image.attached) layouts.addLayout(`${top}/${IMAGES_FOLDER}`, graph);
  }
  return [
    ...chartEntries(chart.tree, top),
    fileEntry(`${top}/${LOCK_FILE_NAME}`, lockBytes),
    fileEntry(`${top}/${IMAGES_FOLDER}/${PULLED_IMAGES_NAME}`, formatPulledImages(pulled)),
    ...layouts.layoutFiles,
    ...layouts.manifests,
    ...layouts.largeBlobs,
    ...layouts.links,
  ];
}
