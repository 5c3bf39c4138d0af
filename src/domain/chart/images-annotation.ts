import { DtError } from '../errors.ts';
import { parseReference } from '../oci/reference.ts';
import { isYamlMap, parseYaml } from '../yaml/parse-yaml.ts';
import { isBlankYaml } from './chart-metadata.ts';
import type { Chart } from './chart.ts';
import { requireDependencies } from './dependencies.ts';
import { readScalarText } from './scalar-text.ts';

/**
 * The annotations that name images, in the order in which they are read: the one of the Go tool, the one of HIP-15 and
 * the one of Artifact Hub. https://github.com/helm/community/blob/main/hips/hip-0015.md
 * https://artifacthub.io/docs/topics/annotations/helm/
 */
export const IMAGE_ANNOTATION_KEYS: readonly string[] = ['images', 'helm.sh/images', 'artifacthub.io/images'];

/** An image that a chart declares in an annotation. */
export interface ChartImage {
  readonly name: string;
  /** The reference exactly as the annotation has it. */
  readonly image: string;
  /** Name of the chart that has the annotation. */
  readonly chart: string;
  /** Key of the annotation. */
  readonly annotationKey: string;
}

export interface ReadChartImagesOptions {
  /** Read this annotation only, in the chart and all subcharts. */
  readonly annotationsKey?: string | undefined;
}

/**
 * The images that a chart and its subcharts declare: the chart's own in the order of its annotations, then those of each
 * subchart, each followed by its own subcharts. An entry with equal chart, name and image counts once; an image that
 * an earlier annotation of the same chart has is not taken from a later one.
 * Throws DT_ANNOTATION_INVALID, DT_BAD_REFERENCE (also for `oci://…`) and DT_DEPENDENCY_MISSING.
 */
export function readChartImages(chart: Chart, options: ReadChartImagesOptions = {}): ChartImage[] {
  const keys = options.annotationsKey === undefined ? IMAGE_ANNOTATION_KEYS : [options.annotationsKey];
  requireDependencies(chart);
  const images = new Map<string, ChartImage>();
  for (const member of listChartMembers(chart)) {
    for (const image of readOwnImages(member, keys)) {
      const identity = JSON.stringify([image.chart, image.name, image.image]);
      if (!images.has(identity)) images.set(identity, image);
    }
  }
  return [...images.values()];
}

function listChartMembers(chart: Chart): Chart[] {
  return [chart, ...chart.subcharts.flatMap((subchart) => listChartMembers(subchart.chart))];
}

function readOwnImages(chart: Chart, keys: readonly string[]): ChartImage[] {
  const { annotations, name } = chart.metadata;
  const images: ChartImage[] = [];
  for (const key of keys) {
    const text = Object.hasOwn(annotations, key) ? annotations[key] : undefined;
    if (text === undefined) continue;
    const earlier = new Set(images.map(({ image }) => image));
    images.push(...parseImagesAnnotation(text, key, name).filter(({ image }) => !earlier.has(image)));
  }
  return images;
}

/** The entries of an annotation. `chart` is what messages call its chart. Throws DT_ANNOTATION_INVALID, DT_BAD_REFERENCE. */
export function parseImagesAnnotation(text: string, key: string, chart: string): ChartImage[] {
  const label = `annotation "${key}" of chart "${chart}"`;
  const reject = (why: string, cause?: unknown): DtError =>
    new DtError('DT_ANNOTATION_INVALID', `${label} is not valid: ${why}`, { cause });
  const list = isBlankYaml(text) ? null : parseAnnotationYaml(text, label, reject);
  if (list === null) return [];
  if (!Array.isArray(list)) throw reject('it is not a list');
  return list.map((item: unknown, position) => {
    const place = `entry ${String(position + 1)}`;
    if (!isYamlMap(item)) throw reject(`${place} is not a map`);
    const image = readScalarText(item['image']);
    if (image === undefined || image === '') throw reject(`${place} has no image`);
    const { repository } = parseReference(image);
    const name = readScalarText(item['name']);
    if (name === undefined) throw reject(`the name of ${place} is not a text`);
    return { name: name === '' ? lastPathPart(repository) : name, image, chart, annotationKey: key };
  });
}

function parseAnnotationYaml(text: string, label: string, reject: (why: string, cause: unknown) => DtError): unknown {
  try {
    return parseYaml(text, label);
  } catch (error) {
    throw reject('it is not YAML', error);
  }
}

function lastPathPart(repository: string): string {
  return repository.slice(repository.lastIndexOf('/') + 1);
}
