import { copyGraphs } from '../../content/copy-graph.ts';
import type { BlobListener, CopyJob, CopySummary } from '../../content/copy-job.ts';
import { listGraphs } from '../../content/image-content.ts';
import { LayoutStore } from '../../content/layout-store.ts';
import type { Graph } from '../../content/read-graph.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import { combineFailures, listFailures, toOutcome } from '../collect-failures.ts';
import type { RunContext } from '../context.ts';
import type { Progress } from '../ports.ts';
import { trackImages } from '../track-images.ts';
import { explainArtifact } from '../wrapping/explain-artifact.ts';
import { toImageContent, type GatheredImage } from '../wrapping/gather-images.ts';
import { hasIndexLayout, listPlatformGraphs } from '../wrapping/layout-graphs.ts';
import type { LayoutsFolder } from './layouts-folder.ts';

/** A graph that gets a layout of its own. */
interface LayoutPart {
  readonly image: GatheredImage;
  readonly graph: Graph;
}

/**
 * Writes a layout for each platform of the lock, for each index, and for what is attached, each blob fetched once. An image that
 * fails does not stop the others: one error names all that failed, and what has come stays.
 */
export async function writeLayouts(
  images: readonly GatheredImage[],
  { folder, stagingFolder }: LayoutsFolder,
  context: RunContext,
  progress: Progress,
): Promise<Omit<CopySummary, 'failures'>> {
  const parts = [...images.flatMap(listPlatformParts), ...images.flatMap(listWholeParts)];
  const jobs = parts.map(({ image, graph }): CopyJob => {
    const target = new LayoutStore(folder, graph.root.descriptor.digest, stagingFolder);
    return { source: image.store, target, graph, tags: [] };
  });
  const onBytes = countOnce(
    trackImages(
      progress,
      images.map((image) => ({ name: image.lockImage.image, graphs: listGraphs(image) })),
    ),
  );
  const { concurrency, signal } = context;
  const { failures, ...summary } = await copyGraphs(jobs, { concurrency, signal, onBytes });
  const outcomes = parts.map(({ image, graph }, index) => {
    const error = failures.get(jobs[index] as CopyJob);
    const isAttached = image.attached.some((item) => item.graph === graph);
    return toOutcome(error && (isAttached ? explainArtifact(error, toImageContent(image), graph) : error));
  });
  const failed = listFailures(parts, outcomes, ({ image }) => image.lockImage.image);
  if (failed.length === 0) return summary;
  throw combineFailures(failed, {
    totalCount: images.length,
    verb: 'pulled',
    detail: `What has come is kept in ${folder.path}, and the same command goes on from there.`,
  });
}

/** The platforms of the lock. They come first: here lies what the others link to. */
function listPlatformParts(image: GatheredImage): LayoutPart[] {
  return listPlatformGraphs(image).map((graph) => ({ image, graph }));
}

/** The index, if there is one, and what is attached. */
function listWholeParts(image: GatheredImage): LayoutPart[] {
  const [whole, ...attached] = listGraphs(image);
  return [...(hasIndexLayout(image) ? [whole] : []), ...attached].map((graph) => ({ image, graph }));
}

/** A blob goes into several layouts, and has come when it is in the first. */
function countOnce(listener: BlobListener): BlobListener {
  const known = new Set<Digest>();
  return (blob, sizeBytes, isSent) => {
    if (isSent || !known.has(blob.digest)) listener(blob, sizeBytes, isSent);
    known.add(blob.digest);
  };
}
