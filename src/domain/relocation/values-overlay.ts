import type { Chart } from '../chart/chart.ts';
import { formatYaml } from '../yaml/format-yaml.ts';
import { formatYamlPath, type YamlPath } from '../yaml/yaml-tree.ts';
import { isNullValue, type YamlEntryValue, type YamlTable, type YamlValue } from '../yaml/yaml-value.ts';
import { coalesce, readEffectiveValues } from './effective-values.ts';
import { pullPrefix, type RelocationRule } from './relocation-rule.ts';

/** What every values file of ours starts with. */
export const OVERLAY_HEADER = '# Values for the chart ';

export interface ValuesOverlay {
  /** The whole values file; undefined if it would have nothing to say. */
  readonly text: string | undefined;
  /**
   * Paths of values that may be others than those of the relocated chart when a chart is installed with the file: keys that
   * are gone or null, keys of a second document of `values.yaml` (Helm 3 reads the first only), and nulls by which the
   * chart takes a default from a subchart for which the file has values (Helm 4 heeds them only where there are some).
   */
  readonly unexpressed: readonly string[];
}

/**
 * The values file that makes a chart as it came deploy what the relocated chart deploys: `helm install CHART -f FILE`. It
 * holds what the relocation changed and nothing else, for the chart and, under their aliases or names, all subcharts. A
 * list stands there as a whole, because Helm merges maps only. Scalars are spelled as the relocated chart spells them.
 *
 * Only `values.yaml` counts: other values files inside a chart apply to nothing until somebody passes them to Helm.
 * Annotations and locks have no part in it, and images that a template names itself cannot be reached by values.
 * Subcharts that a condition switches off have their values in it: switched on, they deploy the right images.
 * Throws DT_YAML_INVALID.
 */
export function buildValuesOverlay(before: Chart, after: Chart, rule: RelocationRule): ValuesOverlay {
  const original = readEffectiveValues(before, 'all');
  const relocated = readEffectiveValues(after, 'all');
  const overlay = diffTables(original.values, relocated.values);
  const unexpressed = [
    ...listDifferences(applyOverlay(overlay, original.values), relocated.values, []),
    ...(original.hasSeveralDocuments ? listDifferences(diffFirstDocuments(before, after), overlay, []) : []),
    ...original.nulled.filter(([name]) => typeof name === 'string' && overlay.pairs.has(name)),
  ];
  const text = overlay.pairs.size === 0 ? undefined : `${formatHeader(before, rule)}\n${formatYaml(overlay)}`;
  return { text, unexpressed: unexpressed.map(formatYamlPath) };
}

function diffFirstDocuments(before: Chart, after: Chart): YamlTable {
  return diffTables(readEffectiveValues(before, 'first').values, readEffectiveValues(after, 'first').values);
}

function formatHeader({ metadata }: Chart, rule: RelocationRule): string {
  const { registry, path } = pullPrefix(rule);
  const place = path === '' ? registry : `${registry}/${path}`;
  const line = `${OVERLAY_HEADER}${metadata.name} ${metadata.version}: its images lie in ${place}.`;
  // A line break of any alphabet would end the comment.
  return line.replaceAll(/[^\x20-\x7e]/g, '?');
}

function diffTables(before: YamlTable, after: YamlTable): YamlTable {
  const pairs = new Map<string, YamlEntryValue>();
  for (const [name, { key, value }] of after.pairs) {
    const old = before.pairs.get(name)?.value;
    if (old?.kind === 'table' && value.kind === 'table') {
      const inner = diffTables(old, value);
      if (inner.pairs.size > 0) pairs.set(name, { key, value: inner });
    } else if (old === undefined || !isSame(old, value)) {
      pairs.set(name, { key, value });
    }
  }
  return { kind: 'table', pairs };
}

/** The values under an overlay, as Helm merges them: a null takes the key away. */
function applyOverlay(overlay: YamlTable, values: YamlTable): YamlTable {
  return withoutNulls(coalesce(overlay, values), overlay);
}

function withoutNulls(merged: YamlTable, overlay: YamlTable): YamlTable {
  const pairs = new Map(merged.pairs);
  for (const [name, { value }] of overlay.pairs) {
    const entry = pairs.get(name);
    if (isNullValue(value)) pairs.delete(name);
    else if (entry?.value.kind === 'table' && value.kind === 'table') {
      pairs.set(name, { ...entry, value: withoutNulls(entry.value, value) });
    }
  }
  return { kind: 'table', pairs };
}

function listDifferences(left: YamlTable, right: YamlTable, path: YamlPath): readonly YamlPath[] {
  return [...new Set([...left.pairs.keys(), ...right.pairs.keys()])].flatMap((name) => {
    const [a, b] = [left.pairs.get(name)?.value, right.pairs.get(name)?.value];
    if (a?.kind === 'table' && b?.kind === 'table') return listDifferences(a, b, [...path, name]);
    return a !== undefined && b !== undefined && isSame(a, b) ? [] : [[...path, name]];
  });
}

function isSame(left: YamlValue, right: YamlValue): boolean {
  if (left.kind === 'text' && right.kind === 'text') {
    return left.text === right.text && left.isPlain === right.isPlain && left.tag === right.tag;
  }
  if (left.kind === 'list' && right.kind === 'list') {
    return (
      left.items.length === right.items.length && left.items.every((item, at) => isSameItem(item, right.items[at]))
    );
  }
  if (left.kind === 'table' && right.kind === 'table') {
    return (
      left.pairs.size === right.pairs.size &&
      [...left.pairs].every(([name, { value }]) => isSameItem(value, right.pairs.get(name)?.value))
    );
  }
  return false;
}

function isSameItem(left: YamlValue, right: YamlValue | undefined): boolean {
  return right !== undefined && isSame(left, right);
}
