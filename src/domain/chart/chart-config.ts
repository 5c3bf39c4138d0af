import { DtError } from '../errors.ts';
import { isYamlMap } from '../yaml/parse-yaml.ts';
import type { ChartMetadata } from './chart-metadata.ts';
import { formatGoJson, sortedByKey } from './go-json.ts';
import { readScalarText } from './scalar-text.ts';

type JsonFields = Readonly<Record<string, unknown>>;

/**
 * The config blob of a chart in a registry: Chart.yaml as JSON, byte for byte as Helm writes it (only the fields that it
 * knows, empty ones left out). https://github.com/helm/community/blob/main/hips/hip-0006.md
 * Throws DT_CHART_INVALID for a field of a kind that Helm does not load.
 */
export function formatChartConfig(metadata: ChartMetadata): string {
  const { document } = metadata;
  return formatGoJson(
    withoutEmpty({
      name: readCleanText(document, 'name'),
      home: readCleanText(document, 'home'),
      sources: readTexts(document, 'sources'),
      version: metadata.version,
      description: readCleanText(document, 'description'),
      keywords: readTexts(document, 'keywords'),
      maintainers: readMaps(document, 'maintainers').map(formatMaintainer),
      icon: readCleanText(document, 'icon'),
      apiVersion: metadata.apiVersion,
      condition: readCleanText(document, 'condition'),
      tags: readCleanText(document, 'tags'),
      appVersion: cleanText(metadata.appVersion),
      deprecated: document['deprecated'] === true,
      annotations: sortedByKey(metadata.annotations),
      kubeVersion: readCleanText(document, 'kubeVersion'),
      dependencies: readMaps(document, 'dependencies').map(formatDependency),
      type: readCleanText(document, 'type'),
    }),
  );
}

/** One text field of Chart.yaml as Helm keeps it in memory; empty if it is absent. Throws DT_CHART_INVALID. */
export function readCleanText(map: Readonly<Record<string, unknown>>, key: string): string {
  const text = readScalarText(map[key]);
  if (text === undefined) throw rejectField(key);
  return cleanText(text);
}

/** One list of texts of Chart.yaml, in the same way. Throws DT_CHART_INVALID. */
export function readTexts(map: Readonly<Record<string, unknown>>, key: string): string[] {
  return readList(map, key).map((item) => {
    const text = readScalarText(item);
    if (text === undefined) throw rejectField(key);
    return cleanText(text);
  });
}

/** One list of maps of Chart.yaml. Throws DT_CHART_INVALID. */
export function readMaps(map: Readonly<Record<string, unknown>>, key: string): Record<string, unknown>[] {
  return readList(map, key).map((item) => {
    if (!isYamlMap(item)) throw rejectField(key);
    return item;
  });
}

function readList(map: Readonly<Record<string, unknown>>, key: string): unknown[] {
  const list = map[key] ?? [];
  if (!Array.isArray(list)) throw rejectField(key);
  return list;
}

function formatMaintainer(maintainer: Record<string, unknown>): JsonFields {
  return withoutEmpty({
    name: readCleanText(maintainer, 'name'),
    email: readCleanText(maintainer, 'email'),
    url: readCleanText(maintainer, 'url'),
  });
}

function formatDependency(dependency: Record<string, unknown>): JsonFields {
  const importValues = readList(dependency, 'import-values');
  return {
    name: readCleanText(dependency, 'name'),
    ...withoutEmpty({ version: readCleanText(dependency, 'version') }),
    // Helm writes the repository even if there is none.
    repository: readCleanText(dependency, 'repository'),
    ...withoutEmpty({
      condition: readCleanText(dependency, 'condition'),
      tags: readTexts(dependency, 'tags'),
      enabled: dependency['enabled'] === true,
      'import-values': importValues.map((item) => (isYamlMap(item) ? sortedByKey(item) : item)),
      alias: readCleanText(dependency, 'alias'),
    }),
  };
}

/** Without empty texts, lists and maps, and without `false`. */
function withoutEmpty(fields: JsonFields): JsonFields {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => {
      if (value === '' || value === false) return false;
      if (value instanceof Map) return value.size > 0;
      return !Array.isArray(value) || value.length > 0;
    }),
  );
}

/** Helm turns every kind of white space into a blank and drops what cannot be printed. */
function cleanText(text: string): string {
  return text.replaceAll(/\p{White_Space}/gu, ' ').replaceAll(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '');
}

function rejectField(key: string): DtError {
  return new DtError('DT_CHART_INVALID', `"${key}" in Chart.yaml has a value of the wrong kind`);
}
