import { DtError } from '../errors.ts';
import { isChartVersion } from '../version/semantic-version.ts';
import { decodeYamlText, isYamlMap, parseYaml } from '../yaml/parse-yaml.ts';
import { readScalarText } from './scalar-text.ts';

/** Chart.yaml, v1 and v2. https://helm.sh/docs/topics/charts/#the-chartyaml-file */
export interface ChartMetadata {
  readonly apiVersion: string;
  readonly name: string;
  readonly version: string;
  /** Empty if the chart has none. */
  readonly appVersion: string;
  readonly annotations: Readonly<Record<string, string>>;
  readonly dependencies: readonly ChartDependency[];
  /** The parsed document, for the fields that only travel (description, maintainers, …). */
  readonly document: Readonly<Record<string, unknown>>;
}

export interface ChartDependency {
  readonly name: string;
  readonly version: string;
  readonly repository: string;
  readonly alias: string;
}

/** Charts without apiVersion come from Helm 2. */
const DEFAULT_API_VERSION = 'v1';

// A name becomes a folder and a part of a repository.
const BAD_NAME_PATTERN = /[/\\\u0000-\u001f\u007f-\u009f]/;

/**
 * Parses Chart.yaml of any apiVersion. `fileName` is what messages call it. Unquoted numbers are read as Helm reads them.
 * Throws DT_YAML_INVALID, and DT_CHART_INVALID for YAML that is not a chart.
 */
export function parseChartMetadata(content: Uint8Array | string, fileName: string): ChartMetadata {
  const document = parseMap(content, fileName);
  const name = readText(document, 'name', fileName);
  const version = readText(document, 'version', fileName);
  if (name === '') throw rejectChart(fileName, 'it has no name');
  if (name === '.' || name === '..' || BAD_NAME_PATTERN.test(name)) {
    throw rejectChart(fileName, `the name ${JSON.stringify(name)} is not allowed`);
  }
  if (version === '') throw rejectChart(fileName, 'it has no version');
  if (!isChartVersion(version)) throw rejectChart(fileName, `the version "${version}" is not a semantic version`);
  return {
    apiVersion: readText(document, 'apiVersion', fileName) || DEFAULT_API_VERSION,
    name,
    version,
    appVersion: readText(document, 'appVersion', fileName),
    annotations: readAnnotations(document['annotations'], fileName),
    dependencies: readDependencies(document['dependencies'], fileName),
    document,
  };
}

/**
 * The metadata with the dependencies of requirements.yaml, where charts of apiVersion v1 declare them. As in Helm, a
 * list there replaces the one of Chart.yaml, whatever the apiVersion. Throws DT_YAML_INVALID and DT_CHART_INVALID.
 */
export function withRequirements(
  metadata: ChartMetadata,
  content: Uint8Array | string,
  fileName: string,
): ChartMetadata {
  const text = typeof content === 'string' ? content : decodeYamlText(content, fileName);
  if (isBlankYaml(text)) return metadata;
  const requirements = parseMap(text, fileName)['dependencies'];
  if (requirements === undefined || requirements === null) return metadata;
  return {
    ...metadata,
    dependencies: readDependencies(requirements, fileName),
    document: { ...metadata.document, dependencies: requirements },
  };
}

/** True for a text without any YAML node: blank, or comments only. */
export function isBlankYaml(text: string): boolean {
  return text.split(/\r\n|\r|\n/).every((line) => /^\s*(?:#.*)?$/.test(line));
}

function parseMap(content: Uint8Array | string, fileName: string): Record<string, unknown> {
  const text = typeof content === 'string' ? content : decodeYamlText(content, fileName);
  const document = isBlankYaml(text) ? undefined : parseYaml(text, fileName);
  if (!isYamlMap(document)) throw rejectChart(fileName, 'it is not a map');
  return document;
}

function readAnnotations(value: unknown, fileName: string): Record<string, string> {
  if (value === undefined || value === null) return {};
  if (!isYamlMap(value)) throw rejectChart(fileName, '"annotations" is not a map');
  return Object.fromEntries(Object.keys(value).map((key) => [key, readText(value, key, fileName)]));
}

function readDependencies(value: unknown, fileName: string): ChartDependency[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw rejectChart(fileName, '"dependencies" is not a list');
  return value.map((item: unknown) => {
    if (!isYamlMap(item)) throw rejectChart(fileName, 'a dependency is not a map');
    const name = readText(item, 'name', fileName);
    if (name === '') throw rejectChart(fileName, 'a dependency has no name');
    return {
      name,
      version: readText(item, 'version', fileName),
      repository: readText(item, 'repository', fileName),
      alias: readText(item, 'alias', fileName),
    };
  });
}

function readText(map: Record<string, unknown>, key: string, fileName: string): string {
  const text = readScalarText(map[key]);
  if (text === undefined) throw rejectChart(fileName, `"${key}" is not a text`);
  return text;
}

function rejectChart(fileName: string, why: string): DtError {
  return new DtError('DT_CHART_INVALID', `${fileName} is not valid: ${why}`);
}
