import { listChartFolders } from '../chart/chart-files.ts';
import { findChartFile } from '../chart/chart-tree.ts';
import type { Chart } from '../chart/chart.ts';
import { readChartImages, type ReadChartImagesOptions } from '../chart/images-annotation.ts';
import { isDtError } from '../errors.ts';
import { formatReference, parseReference } from '../oci/reference.ts';
import { decodeYamlText, isYamlMap, parseYamlTexts } from '../yaml/parse-yaml.ts';
import type { ImageFinding } from './discovered-image.ts';
import { parseImageField } from './image-text.ts';

/** Locks of images under the names that chart makers use; all have `images[].image`. */
const LOCK_FILES = ['Images.lock', 'images-lock.yaml', 'images.lock.yaml', '.images.lock.yaml'];

/**
 * What a chart and its subcharts say of their images themselves: annotations, and locks that lie in the chart. A lock that
 * cannot be read is passed over. Throws as `readChartImages` does.
 */
export function findDeclaredImages(chart: Chart, options: ReadChartImagesOptions): readonly ImageFinding[] {
  const annotated = readChartImages(chart, options).map(
    ({ name, image, chart: chartName, annotationKey }): ImageFinding => ({
      reference: formatReference(parseReference(image)),
      name,
      chart: chartName,
      confidence: 'declared',
      isComplete: true,
      reason: { kind: 'annotation', chart: chartName, key: annotationKey },
    }),
  );
  return [...annotated, ...listChartFolders(chart).flatMap(({ chart: member, label }) => readLocks(member, label))];
}

function readLocks(chart: Chart, label: string): readonly ImageFinding[] {
  return LOCK_FILES.flatMap((file) => {
    const entry = findChartFile(chart.tree, file);
    if (entry === undefined) return [];
    return readLockItems(entry.bytes, file).flatMap(({ image, name }): ImageFinding[] => {
      const reference = parseImageField(image);
      if (reference === undefined) return [];
      return [
        {
          reference: formatReference(reference),
          ...(name === '' ? {} : { name }),
          chart: chart.metadata.name,
          confidence: 'declared',
          isComplete: true,
          reason: { kind: 'lock', file: label + file },
        },
      ];
    });
  });
}

function readLockItems(bytes: Uint8Array, file: string): readonly { readonly image: string; readonly name: string }[] {
  try {
    const document = parseYamlTexts(decodeYamlText(bytes, file), file);
    const items: unknown = isYamlMap(document) ? document['images'] : undefined;
    if (!Array.isArray(items)) return [];
    return items.filter(isYamlMap).flatMap(({ image, name }) => {
      return typeof image === 'string' ? [{ image, name: typeof name === 'string' ? name : '' }] : [];
    });
  } catch (error) {
    if (isDtError(error, 'DT_YAML_INVALID')) return [];
    throw error;
  }
}
