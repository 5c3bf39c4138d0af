import { listChartFolders } from '../chart/chart-files.ts';
import { findChartFile } from '../chart/chart-tree.ts';
import type { Chart } from '../chart/chart.ts';
import { readChartImages, type ReadChartImagesOptions } from '../chart/images-annotation.ts';
import { isDtError } from '../errors.ts';
import { LOCK_FILE_NAME } from '../lock/images-lock.ts';
import { formatReference, parseReference } from '../oci/reference.ts';
import { decodeYamlText, isYamlMap, parseYamlTexts } from '../yaml/parse-yaml.ts';
import type { ImageFinding } from './discovered-image.ts';
import { parseImageField } from './image-text.ts';

/** Locks of images under the names that chart makers use; all have `images[].image`. */
const LOCK_FILES = [LOCK_FILE_NAME, 'images-lock.yaml', 'images.lock.yaml', '.images.lock.yaml'];

export interface FindDeclaredOptions extends ReadChartImagesOptions {
  /** The Images.lock of the chart itself does not count: it is what discovery is made for. */
  readonly ignoresOwnLock?: boolean;
}

/**
 * What a chart and its subcharts say of their images themselves: annotations, and locks that lie in the chart. A lock that
 * cannot be read is passed over. Throws as `readChartImages` does.
 */
export function findDeclaredImages(chart: Chart, options: FindDeclaredOptions): readonly ImageFinding[] {
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
  const ignored = options.ignoresOwnLock === true ? LOCK_FILE_NAME : undefined;
  return [
    ...annotated,
    ...listChartFolders(chart).flatMap(({ chart: member, label }) => readLocks(member, label, ignored)),
  ];
}

function readLocks(chart: Chart, label: string, ignored: string | undefined): readonly ImageFinding[] {
  return LOCK_FILES.filter((file) => label + file !== ignored).flatMap((file) => {
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
