import { applyLiteralMarks, applyValueMarks, type WrittenMark } from '../../domain/discovery/apply-marks.ts';
import { findLiteralMarks } from '../../domain/discovery/find-literal-marks.ts';
import { findEmptyMarks, findValueMarks, type ValueMark } from '../../domain/discovery/find-value-marks.ts';
import type { ImageOrigin, MarkPlace } from '../../domain/discovery/image-origin.ts';
import type { TracedHead } from '../../domain/proof/plan-heads.ts';
import { chooseMarks, type MarkAlphabet } from '../../domain/discovery/marks.ts';
import { matchEmptyMarks, matchMarks } from '../../domain/discovery/match-marks.ts';
import type { RenderedImage } from '../../domain/discovery/rendered-image.ts';
import { isDtError } from '../../domain/errors.ts';
import { readImages, type ChartRendering, type FileChanges, type RenderedImages } from './chart-rendering.ts';

/**
 * What each image begins with; several places if a text names the image more than once. Images whose head is nowhere as one
 * piece are left out.
 */
export type ImageOrigins = ReadonlyMap<RenderedImage, readonly ImageOrigin[]>;

/** Renderings of one tracing; a chart that refuses marks is halved until it is reached. */
const MAX_PROBES = 24;
/** A head may stand in a comment as well: then a shorter one is tried. */
const MAX_LITERAL_ROUNDS = 3;
/** An empty value that overrides others hides them until it is left out. */
const MAX_EMPTY_ROUNDS = 2;

interface Tracing {
  readonly rendering: ChartRendering;
  readonly base: FileChanges;
  readonly images: readonly RenderedImage[];
  readonly marks: MarkAlphabet;
  readonly heads: Map<RenderedImage, readonly TracedHead[]>;
  probesLeft: number;
}

type Match = typeof matchMarks;

/** The heads of images, as places that can be edited. */
export type ImageHeads = ReadonlyMap<RenderedImage, readonly TracedHead[]>;

/** `traceHeads` for people. */
export async function traceImages(
  rendering: ChartRendering,
  base: FileChanges,
  rendered: RenderedImages,
): Promise<ImageOrigins> {
  const heads = await traceHeads(rendering, base, rendered);
  return new Map([...heads].map(([image, places]) => [image, places.map(({ origin }) => origin)] as const));
}

/**
 * Finds where the head of each rendered image comes from: all scalars that could be it are marked at once, and one rendering
 * shows which marks arrive. Only for what is left then, empty values are filled and literals of templates marked.
 * Throws DT_INTERRUPTED, DT_HELM_UNUSABLE.
 */
export async function traceHeads(
  rendering: ChartRendering,
  base: FileChanges,
  { images, output }: Pick<RenderedImages, 'images' | 'output'>,
): Promise<ImageHeads> {
  const values = rendering.listValues(base);
  const marks = chooseMarks([output, ...values.map(({ tree }) => tree.text)]);
  const tracing: Tracing = { rendering, base, images, marks, heads: new Map(), probesLeft: MAX_PROBES };
  const valueMarks = findValueMarks(
    values,
    images.map(({ text }) => text),
  );
  collect(tracing, await probe(tracing, valueMarks, applyValueMarks, matchMarks));
  await traceEmptyValues(tracing);
  await traceLiterals(tracing);
  return tracing.heads;
}

async function traceEmptyValues(tracing: Tracing): Promise<void> {
  let candidates = findEmptyMarks(tracing.rendering.listValues(tracing.base));
  for (let round = 0; round < MAX_EMPTY_ROUNDS && listUntraced(tracing).length > 0; round++) {
    const found = await probe(tracing, candidates, applyValueMarks, matchEmptyMarks);
    // One that reaches an image whose head is known overrides it, and would move more than it should.
    const overriding = new Set<ValueMark>();
    for (const [image, marks] of found) {
      if (tracing.heads.has(image)) for (const mark of marks) overriding.add(mark);
    }
    collect(tracing, new Map([...found].filter(([, marks]) => !marks.some((mark) => overriding.has(mark)))));
    if (overriding.size === 0) return;
    candidates = candidates.filter((mark) => !overriding.has(mark));
  }
}

async function traceLiterals(tracing: Tracing): Promise<void> {
  const texts = tracing.rendering.listTexts();
  const tried = new Set<string>();
  for (let round = 0; round < MAX_LITERAL_ROUNDS; round++) {
    const candidates = findLiteralMarks(
      texts,
      listUntraced(tracing).map(({ text }) => text),
      tried,
    );
    if (candidates.length === 0) return;
    for (const { origin } of candidates) tried.add(origin.text);
    collect(tracing, await probe(tracing, candidates, (written) => applyLiteralMarks(texts, written), matchMarks));
  }
}

function listUntraced({ images, heads }: Tracing): readonly RenderedImage[] {
  return images.filter((image) => !heads.has(image));
}

function collect({ heads }: Tracing, found: ImageHeads): void {
  for (const [image, places] of found) if (!heads.has(image)) heads.set(image, places);
}

/** Renders with all the marks, and tells which of them each image begins with. Marks that break the chart are found by halving. */
async function probe<Mark extends MarkPlace>(
  tracing: Tracing,
  candidates: readonly Mark[],
  apply: (written: readonly WrittenMark<Mark>[]) => FileChanges,
  match: Match,
): Promise<ReadonlyMap<RenderedImage, readonly Mark[]>> {
  const { rendering, base, images, marks } = tracing;
  if (candidates.length === 0 || tracing.probesLeft === 0) return new Map();
  tracing.probesLeft -= 1;
  const written = candidates.map((mark, index) => ({ mark, text: marks.write(index) }));
  try {
    const { output } = await rendering.probe(new Map([...base, ...apply(written)]), () => false);
    const { images: marked } = readImages(marks.toHosts(output), (text) => marks.isIn(text));
    const found = match(images, marked, marks);
    return new Map(
      [...found].map(([image, indexes]) => [image, indexes.flatMap((index) => candidates[index] ?? [])] as const),
    );
  } catch (error) {
    if (!isDtError(error, 'DT_CHART_NOT_RENDERED')) throw error;
    if (candidates.length === 1) return new Map();
    const middle = Math.ceil(candidates.length / 2);
    const halves: ReadonlyMap<RenderedImage, readonly Mark[]>[] = [];
    // One after the other, so that the same renderings are made whenever they are used up.
    for (const half of [candidates.slice(0, middle), candidates.slice(middle)]) {
      halves.push(await probe(tracing, half, apply, match));
    }
    return new Map(halves.flatMap((half) => [...half]));
  }
}
