import { setScalars } from '../../domain/discovery/apply-marks.ts';
import { findOffFlags, isSwitch, type OffFlag } from '../../domain/discovery/find-off-flags.ts';
import { imageIdentity } from '../../domain/discovery/find-rendered-images.ts';
import { splitManifests } from '../../domain/discovery/parse-manifests.ts';
import { outsideName } from '../../domain/discovery/outside-values.ts';
import type { ImageOrigin } from '../../domain/discovery/image-origin.ts';
import type { RenderedImage } from '../../domain/discovery/rendered-image.ts';
import { isDtError } from '../../domain/errors.ts';
import type { ChartRendering, FileChanges, RenderedImages } from './chart-rendering.ts';
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
  /** Texts of documents that are known. */
  readonly knownTexts: Set<string>;
  readonly knownImages: Set<string>;
  readonly images: RenderedImage[];
  readonly origins: Map<RenderedImage, readonly ImageOrigin[]>;
  rendersLeft: number;
  /** On the clock of `performance.now`. */
  readonly endsAtMs: number;
  untried: number;
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
  // What the user set in a file of his own is not a default of the chart.
  const flags = findOffFlags(rendering.listValues().filter(({ file }) => outsideName(file) === undefined));
  const exploration: Exploration = {
    rendering,
    knownTexts: new Set(splitManifests(output).map(({ text }) => text)),
    knownImages: new Set(images.map(({ reference }) => imageIdentity(reference))),
    images: [],
    origins: new Map(),
    rendersLeft: isThorough ? MAX_RENDERS_OF_ALL_VARIANTS : MAX_RENDERS,
    endsAtMs: isThorough ? Number.POSITIVE_INFINITY : performance.now() + MAX_DURATION_MS,
    untried: 0,
  };
  if (flags.length > 0) await explore(exploration, [flags]);
  if (isThorough && flags.length > 1)
    await explore(
      exploration,
      flags.map((flag) => [flag]),
    );
  return { images: exploration.images, origins: exploration.origins, untried: exploration.untried };
}

/** Renders each set of flags, then the parts of those that failed, and so on. Which ones are rendered does not depend on time. */
async function explore(exploration: Exploration, sets: readonly (readonly OffFlag[])[]): Promise<void> {
  let waiting = sets;
  while (waiting.length > 0) {
    const isLate = performance.now() > exploration.endsAtMs;
    const round = waiting.slice(0, isLate ? 0 : exploration.rendersLeft);
    exploration.rendersLeft -= round.length;
    exploration.untried += waiting.slice(round.length).reduce((sum, set) => sum + set.length, 0);
    const outcomes = await Promise.all(round.map(async (set) => tryFlags(exploration, set)));
    const parts: (readonly OffFlag[])[] = [];
    for (const [index, set] of round.entries()) {
      const rendered = outcomes[index];
      if (rendered !== undefined) await addNew(exploration, switchOn(set), rendered);
      else if (set.length === 1) exploration.untried += 1;
      else parts.push(...splitFlags(set));
    }
    waiting = parts;
  }
}

/** Undefined if the chart does not render with these flags on. */
async function tryFlags(exploration: Exploration, flags: readonly OffFlag[]): Promise<RenderedImages | undefined> {
  const { rendering, knownTexts } = exploration;
  try {
    return await rendering.probe(switchOn(flags), (text) => !knownTexts.has(text));
  } catch (error) {
    if (!isDtError(error, 'DT_CHART_NOT_RENDERED')) throw error;
    return undefined;
  }
}

/** Flags that switch parts of a chart on mostly get along with each other; after them come halves. */
function splitFlags(flags: readonly OffFlag[]): readonly (readonly OffFlag[])[] {
  const switches = flags.filter(isSwitch);
  const others = flags.filter((flag) => !switches.includes(flag));
  if (switches.length > 0 && others.length > 0) return [switches, others];
  const middle = Math.ceil(flags.length / 2);
  return [flags.slice(0, middle), flags.slice(middle)];
}

async function addNew(exploration: Exploration, changes: FileChanges, rendered: RenderedImages): Promise<void> {
  const { knownImages, rendering } = exploration;
  const images = rendered.images.filter(({ reference }) => !knownImages.has(imageIdentity(reference)));
  if (images.length === 0) return;
  for (const { reference } of images) knownImages.add(imageIdentity(reference));
  exploration.images.push(...images);
  const origins = await traceImages(rendering, changes, { ...rendered, images });
  for (const [image, places] of origins) exploration.origins.set(image, places);
}

function switchOn(flags: readonly OffFlag[]): FileChanges {
  const byFile = Map.groupBy(flags, ({ text }) => text);
  return new Map(
    [...byFile].map(([{ file, tree }, group]) => [
      file,
      setScalars(
        tree,
        group.map(({ scalar }) => scalar),
        'true',
      ),
    ]),
  );
}
