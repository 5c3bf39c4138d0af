import { copyGraphs } from '../../content/copy-graph.ts';
import type { CopyJob } from '../../content/copy-job.ts';
import { contentTags, locationsTag, placesTag } from '../../domain/carvel/bundle-tags.ts';
import type { ImageLocation } from '../../domain/carvel/image-locations.ts';
import { DtError } from '../../domain/errors.ts';
import type { Digest } from '../../domain/oci/digest.ts';
import type { RunContext } from '../context.ts';
import { openRepository } from '../registry-stores.ts';
import { nameCarried } from './carried-image.ts';
import { buildLocationsImage } from './one-layer-image.ts';
import type { PlacedImage, TargetOptions } from './place-images.ts';

/**
 * Puts beside every bundle the list of its images, with which it is found that they are in the target. Throws DT_WRAP_INCOMPLETE if an image of a
 * bundle was not copied, and the registry errors.
 */
export async function pushLocations(
  placed: readonly PlacedImage[],
  { keepsNames = false }: TargetOptions,
  context: RunContext,
): Promise<void> {
  const byDigest = new Map(placed.map((item) => [item.image.reference.digest, item]));
  const jobs: CopyJob[] = [];
  for (const item of placed) {
    const { bundled, reference } = item.image;
    if (bundled === undefined) continue;
    const locations = bundled.map((locked): ImageLocation => {
      const target = byDigest.get(locked.reference.digest) ?? missing(item, locked.reference.digest);
      const { registry, repository } = keepsNames ? target.place : locked.reference;
      const isBundle = target.image.bundled !== undefined;
      return { reference: { registry, repository, digest: locked.reference.digest }, isBundle };
    });
    const { store, graph } = await buildLocationsImage(locations);
    const tag = (keepsNames ? placesTag : locationsTag)(reference.digest);
    const tags = [tag, ...contentTags(graph.root.descriptor.digest)];
    jobs.push({ source: store, target: openRepository(context, item.place, 'push'), graph, tags });
  }
  const { concurrency, signal } = context;
  const { failures } = await copyGraphs(jobs, { concurrency, signal });
  for (const error of failures.values()) throw error;
}

function missing({ image }: PlacedImage, digest: Digest): never {
  throw new DtError(
    'DT_WRAP_INCOMPLETE',
    `${image.store.name} does not have ${digest}, which the bundle ${nameCarried(image)} names`,
  );
}
