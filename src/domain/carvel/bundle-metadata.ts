import type { ChartMetadata } from '../chart/chart-metadata.ts';
import { readScalarText } from '../chart/scalar-text.ts';
import { isYamlMap } from '../yaml/parse-yaml.ts';
import { CARVEL_API_VERSION } from './carvel-lock.ts';
import { type CarvelMap, formatCarvelYaml } from './format-carvel-yaml.ts';

/** Where a bundle tells who made it; imgpkg itself does not read it. */
export const BUNDLE_METADATA_PATH = '.imgpkg/bundle.yml';
const BUNDLE_KIND = 'Bundle';

/**
 * The text of the metadata of a bundle that is made of a chart: its name and annotations, maintainers and sources. Annotations
 * that list images are left out: the lock beside it names them. What the chart does not have is left out, too.
 */
export function formatBundleMetadata(
  { name, annotations, document }: ChartMetadata,
  imageAnnotationKeys: readonly string[],
): string {
  const described = Object.entries(annotations).filter(([key]) => !imageAnnotationKeys.includes(key));
  const authors = readMaps(document['maintainers']).map((maintainer) => pickTexts(maintainer, ['name', 'email']));
  const websites = readList(document['sources']).map((source) => pickTexts({ url: source }, ['url']));
  return formatCarvelYaml({
    apiVersion: CARVEL_API_VERSION,
    kind: BUNDLE_KIND,
    metadata: { ...Object.fromEntries(described), name },
    authors: nonEmpty(authors),
    websites: nonEmpty(websites),
  });
}

function pickTexts(map: Readonly<Record<string, unknown>>, keys: readonly string[]): CarvelMap {
  return Object.fromEntries(
    keys.flatMap((key) => {
      const text = readScalarText(map[key]) ?? '';
      return text === '' ? [] : [[key, text]];
    }),
  );
}

function nonEmpty(items: readonly CarvelMap[]): readonly CarvelMap[] | undefined {
  const filled = items.filter((item) => Object.keys(item).length > 0);
  return filled.length === 0 ? undefined : filled;
}

/** Helm ignores what these fields hold beside maps and texts, and so does this. */
function readList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function readMaps(value: unknown): readonly Record<string, unknown>[] {
  return readList(value).filter(isYamlMap);
}
