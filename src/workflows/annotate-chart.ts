import { realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { packChartArchive } from '../archive/chart-archive.ts';
import { annotateImages } from '../domain/chart/annotate-images.ts';
import type { AnnotatedImage } from '../domain/chart/propose-annotation.ts';
import { findChartFile } from '../domain/chart/chart-tree.ts';
import type { Chart } from '../domain/chart/chart.ts';
import { IMAGE_ANNOTATION_KEYS } from '../domain/chart/images-annotation.ts';
import type { ChosenImage } from '../domain/discovery/choose-images.ts';
import { DtError, isDtError, systemErrorCode } from '../domain/errors.ts';
import { replaceFiles } from '../files/replace-files.ts';
import { fetchChart } from './charts/fetch-chart.ts';
import { warnStaleProvenance } from './charts/warn-stale-provenance.ts';
import type { RunContext } from './context.ts';
import { findUnresolved } from './locking/resolve-images.ts';
import { describeWhy, searchImages, type ImageSearch } from './locking/search-images.ts';
import { readSourceDateSeconds } from './source-date.ts';

const CHART_FILE = 'Chart.yaml';
const [DEFAULT_KEY = 'images'] = IMAGE_ANNOTATION_KEYS;

export interface AnnotateChartOptions {
  /** A folder or a .tgz. */
  readonly chart: string;
  /** The annotation to write, and the only one to read; by default `images`, and the known ones. */
  readonly annotationsKey?: string | undefined;
  readonly search: ImageSearch;
}

export interface AnnotateChartResult {
  readonly chart: { readonly name: string; readonly version: string };
  readonly annotation: string;
  /** All that the annotation names now. */
  readonly images: readonly AnnotatedImage[];
  /** False if it did so before: then nothing was written. */
  readonly isChanged: boolean;
}

/**
 * Writes the images of a chart into an annotation of its Chart.yaml: those that it declares itself, and those that its rendering
 * runs and that neither it nor a subchart declares. What only looks like an image is asked for at its registry. The folder or archive changes
 * at once or not at all. Throws DT_FILE_NOT_FOUND, DT_ANNOTATION_INVALID and what fetching, finding and writing throw.
 */
export async function annotateChart(
  { chart: path, annotationsKey, search }: AnnotateChartOptions,
  context: RunContext,
): Promise<AnnotateChartResult> {
  await requireLocal(path);
  const { chart, origin } = await fetchChart({ location: path }, context);
  const key = annotationsKey ?? DEFAULT_KEY;
  const { images } = await searchImages(chart, { annotationsKey, search }, context);
  const wanted = await leaveOutMissing(
    images.filter((image) => image.found !== undefined || image.chart === chart.metadata.name),
    context,
  );
  const { name, version } = chart.metadata;
  const result = { chart: { name, version }, annotation: key, images: wanted.map(toEntry) };
  if (wanted.length === 0) {
    context.reporter.warn(`no image was found in the chart ${name}: nothing is annotated`);
    return { ...result, isChanged: false };
  }
  const file = findChartFile(chart.tree, CHART_FILE);
  if (file === undefined) throw new TypeError(`${path} has no ${CHART_FILE}`);
  const bytes = annotateImages(file.bytes, CHART_FILE, key, result.images);
  if (bytes === file.bytes) return { ...result, isChanged: false };
  for (const { image, found } of wanted) {
    if (found !== undefined) context.reporter.info(`Added: ${image} (${describeWhy(found)})`);
  }
  if (origin.archive === undefined) {
    await replaceFiles(path, [{ path: join(path, CHART_FILE), bytes, expectedBytes: file.bytes }]);
  } else {
    const archive = await packWith(chart, bytes, context);
    await replaceFiles(dirname(await realpath(path)), [{ path, bytes: archive, expectedBytes: origin.archive }]);
    await warnStaleProvenance(path, context);
  }
  return { ...result, isChanged: true };
}

/** Only what is on this machine can be changed. */
async function requireLocal(path: string): Promise<void> {
  try {
    await stat(path);
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    throw new DtError('DT_FILE_NOT_FOUND', `there is no chart folder or .tgz at "${path}"`, { cause: error });
  }
}

/** A guess stays where its registry cannot be asked. */
async function leaveOutMissing(images: readonly ChosenImage[], context: RunContext): Promise<readonly ChosenImage[]> {
  const guesses = images.filter(({ isGuess }) => isGuess);
  const unresolved = await findUnresolved(guesses, context);
  const missing = new Set<string>();
  for (const [image, error] of unresolved) {
    const isUnknown = isDtError(error, 'DT_REGISTRY_UNREACHABLE', 'DT_REGISTRY_ERROR');
    if (!isUnknown) missing.add(image);
    const consequence = isUnknown ? 'cannot be looked for' : 'is left out';
    context.reporter.warn(`${image} only looks like an image of the chart and ${consequence}: ${error.message}`);
  }
  return images.filter(({ image }) => !missing.has(image));
}

function toEntry({ image, name }: ChosenImage): AnnotatedImage {
  return { image, name };
}

/** The chart as an archive, with this Chart.yaml. */
async function packWith(chart: Chart, bytes: Uint8Array, context: RunContext): Promise<Uint8Array> {
  const tree = chart.tree.map((entry) => (entry.path === CHART_FILE ? { ...entry, bytes } : entry));
  const mtimeSeconds = readSourceDateSeconds(context.environment) ?? 0;
  return packChartArchive(chart.metadata.name, tree, { mtimeSeconds });
}
