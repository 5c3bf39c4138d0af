import { listChartMembers } from '../chart/chart-members.ts';
import { findChartFile, VALUES_FILE_NAME } from '../chart/chart-tree.ts';
import type { Chart } from '../chart/chart.ts';
import { readScalarText } from '../chart/scalar-text.ts';
import { readYamlBytes } from '../yaml/edit-yaml-bytes.ts';
import { isYamlMap } from '../yaml/parse-yaml.ts';
import type { YamlPath } from '../yaml/yaml-tree.ts';
import {
  EMPTY_TABLE,
  isNullValue,
  readYamlValue,
  type YamlEntryValue,
  type YamlTable,
  type YamlValue,
} from '../yaml/yaml-value.ts';

/** What a child hands to its parent under a single name. https://helm.sh/docs/topics/charts/#using-the-exports-format */
const EXPORTS_KEY = 'exports';
/** Words of YAML 1.1, which Helm reads. https://yaml.org/type/bool.html */
const YAML_WORDS: ReadonlySet<string> = new Set(['y', 'n', 'yes', 'no', 'on', 'off', 'true', 'false', 'null']);

/** Which documents of a `values.yaml` count: Helm 3 reads the first, Helm 4 merges all. */
export type ValuesDocuments = 'first' | 'all';

export interface EffectiveValues {
  readonly values: YamlTable;
  /** Paths at which a chart takes a default from its subchart by a null. */
  readonly nulled: readonly YamlPath[];
  /** True if a `values.yaml` has several documents, so that versions of Helm read different values. */
  readonly hasSeveralDocuments: boolean;
}

/**
 * The values of a chart with those of all its subcharts in their places, as Helm puts them together: the parent wins,
 * maps are merged, everything else is taken as a whole, values that the parent imports come last. `global` stays where it
 * is written. Throws DT_YAML_INVALID.
 */
export function readEffectiveValues(chart: Chart, documents: ValuesDocuments): EffectiveValues {
  const own = readOwnValues(chart, documents);
  let { values, hasSeveralDocuments } = own;
  const nulled: YamlPath[] = [];
  for (const { name, chart: subchart } of listChartMembers(chart)) {
    const member = readEffectiveValues(subchart, documents);
    const defaults = nest([name], member.values);
    nulled.push(...member.nulled.map((path) => [name, ...path]), ...listNulled(values, defaults, []));
    values = coalesce(values, defaults);
    hasSeveralDocuments ||= member.hasSeveralDocuments;
  }
  return { values: coalesce(values, readImports(chart, values)), nulled, hasSeveralDocuments };
}

/** Adds what only `defaults` has. A null counts as a value: it says that there is none. */
export function coalesce(values: YamlTable, defaults: YamlTable): YamlTable {
  const pairs = new Map<string, YamlEntryValue>(values.pairs);
  for (const [name, entry] of defaults.pairs) {
    const present = pairs.get(name);
    if (present === undefined) pairs.set(name, entry);
    else if (present.value.kind === 'table' && entry.value.kind === 'table') {
      pairs.set(name, { ...present, value: coalesce(present.value, entry.value) });
    }
  }
  return { kind: 'table', pairs };
}

function listNulled(values: YamlTable, defaults: YamlTable, path: YamlPath): readonly YamlPath[] {
  return [...defaults.pairs].flatMap(([name, { value }]) => {
    const present = values.pairs.get(name)?.value;
    if (present?.kind === 'table' && value.kind === 'table') return listNulled(present, value, [...path, name]);
    return present !== undefined && isNullValue(present) && !isNullValue(value) ? [[...path, name]] : [];
  });
}

/** Of several documents the later wins. */
function readOwnValues(
  chart: Chart,
  documents: ValuesDocuments,
): { readonly values: YamlTable; readonly hasSeveralDocuments: boolean } {
  const file = findChartFile(chart.tree, VALUES_FILE_NAME);
  if (file === undefined) return { values: EMPTY_TABLE, hasSeveralDocuments: false };
  const tree = readYamlBytes(file.bytes, `${VALUES_FILE_NAME} of ${chart.metadata.name}`);
  const roots = tree.roots.map((root) => readYamlValue(tree, root));
  const tables = (documents === 'first' ? roots.slice(0, 1) : roots).filter((root) => root.kind === 'table');
  const values = tables.reduce((earlier, later) => coalesce(later, earlier), EMPTY_TABLE);
  return { values, hasSeveralDocuments: roots.slice(1).some((root) => root.kind === 'table') };
}

/** https://helm.sh/docs/topics/charts/#importing-child-values-via-dependencies */
function readImports(chart: Chart, values: YamlTable): YamlTable {
  const { dependencies, document } = chart.metadata;
  const items = Array.isArray(document['dependencies']) ? (document['dependencies'] as unknown[]) : [];
  let imports = EMPTY_TABLE;
  for (const [index, { name, alias }] of dependencies.entries()) {
    const item = items[index];
    const wishes = isYamlMap(item) && Array.isArray(item['import-values']) ? (item['import-values'] as unknown[]) : [];
    for (const wish of wishes) {
      const [child, parent] = isYamlMap(wish)
        ? [readScalarText(wish['child']) ?? '', readScalarText(wish['parent']) ?? '']
        : [`${EXPORTS_KEY}.${readScalarText(wish) ?? ''}`, '.'];
      const table = findTable(values, [alias || name, ...child.split('.')]);
      if (table !== undefined) imports = coalesce(imports, nest(parent === '.' ? [] : parent.split('.'), table));
    }
  }
  return imports;
}

function findTable(values: YamlTable, path: readonly string[]): YamlTable | undefined {
  const found = path.reduce<YamlValue | undefined>(
    (value, name) => (value?.kind === 'table' ? value.pairs.get(name)?.value : undefined),
    values,
  );
  return found?.kind === 'table' ? found : undefined;
}

function nest(path: readonly string[], table: YamlTable): YamlTable {
  return path.reduceRight<YamlTable>(
    (value, name) => ({
      kind: 'table',
      pairs: new Map([[name, { key: { kind: 'text', text: name, isPlain: isWord(name), tag: '' }, value }]]),
    }),
    table,
  );
}

/** A name that no reader of YAML takes for anything but a string. */
function isWord(name: string): boolean {
  return /^[A-Za-z][\w-]*$/.test(name) && !YAML_WORDS.has(name.toLowerCase());
}
