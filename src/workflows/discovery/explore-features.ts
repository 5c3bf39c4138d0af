import { imageIdentity } from '../../domain/discovery/find-rendered-images.ts';
import type { OffFlag } from '../../domain/discovery/find-off-flags.ts';
import type { ImageOrigin } from '../../domain/discovery/image-origin.ts';
import { splitManifests } from '../../domain/discovery/parse-manifests.ts';
import type { RenderedImage } from '../../domain/discovery/rendered-image.ts';
import type { ChartRendering, RenderedImages } from './chart-rendering.ts';
import { listOffFeatures, renderFlagSets, switchOn, type FeatureBudget } from './switch-features.ts';
import { traceImages, type ImageOrigins } from './trace-images.ts';

/** Renderings that look for features; a chart that does not render with all of them on is halved. */
const MAX_RENDERS = 16;
/** After this no further rendering is begun: some charts make keys for seconds, every time. */
const MAX_DURATION_MS = 10_000;
/** With every feature tried alone as well. */
const MAX_RENDERS_OF_ALL_VARIANTS = 400;

/** Images that only features bring which are off. */
export interface FeatureImages {
  readonly images: readonly RenderedImage[];
  readonly origins: ImageOrigins;
  /** Flags that were never on: with them the chart does not render, or the renderings were used up. */
  readonly untried: number;
}

interface Exploration {
  readonly rendering: ChartRendering;
  readonly knownImages: Set<string>;
  readonly images: RenderedImage[];
  readonly origins: Map<RenderedImage, readonly ImageOrigin[]>;
}

/**
 * Renders with everything on that is off, all at once, and in halves where that fails. With `isThorough` each flag is also
 * tried alone: one may hide what another shows. Throws DT_INTERRUPTED, DT_HELM_UNUSABLE.
 */
export async function exploreFeatures(
  rendering: ChartRendering,
  { images, output }: RenderedImages,
  isThorough: boolean,
): Promise<FeatureImages> {
  const flags = listOffFeatures(rendering);
  const exploration: Exploration = {
    rendering,
    knownImages: new Set(images.map(({ reference }) => imageIdentity(reference))),
    images: [],
    origins: new Map(),
  };
  const budget: FeatureBudget = {
    rendersLeft: isThorough ? MAX_RENDERS_OF_ALL_VARIANTS : MAX_RENDERS,
    endsAtMs: isThorough ? Number.POSITIVE_INFINITY : performance.now() + MAX_DURATION_MS,
  };
  const knownTexts = new Set(splitManifests(output).map(({ text }) => text));
  const explore = async (sets: readonly (readonly OffFlag[])[]): Promise<readonly OffFlag[]> =>
    renderFlagSets(sets, budget, {
      render: async (changes) => rendering.probe(changes, (text) => !knownTexts.has(text)),
      take: async (set, rendered) => addNew(exploration, set, rendered),
    });
  let untried = flags.length > 0 ? await explore([flags]) : [];
  if (isThorough && flags.length > 1) {
    const untriedAlone = await explore(flags.map((flag) => [flag]));
    untried = untried.filter((flag) => untriedAlone.includes(flag));
  }
  return { images: exploration.images, origins: exploration.origins, untried: untried.length };
}

async function addNew(exploration: Exploration, flags: readonly OffFlag[], rendered: RenderedImages): Promise<void> {
  const { knownImages, rendering } = exploration;
  const images = rendered.images.filter(({ reference }) => !knownImages.has(imageIdentity(reference)));
  if (images.length === 0) return;
  for (const { reference } of images) knownImages.add(imageIdentity(reference));
  exploration.images.push(...images);
  const origins = await traceImages(rendering, switchOn(flags), { ...rendered, images });
  for (const [image, places] of origins) exploration.origins.set(image, places);
}
