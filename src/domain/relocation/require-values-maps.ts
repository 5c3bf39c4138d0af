import { findChartFile } from '../chart/chart-tree.ts';
import type { Chart } from '../chart/chart.ts';
import { DtError } from '../errors.ts';
import { readYamlBytes } from '../yaml/edit-yaml-bytes.ts';
import { dereference, type YamlNode } from '../yaml/yaml-tree.ts';

/** Throws DT_YAML_INVALID if one of these files of the chart holds something that Helm takes for no values. One that is missing is fine. */
export function requireValuesMaps({ tree }: Chart, valuesFiles: readonly string[]): void {
  for (const name of valuesFiles) {
    const file = findChartFile(tree, name);
    if (file === undefined || readYamlBytes(file.bytes, name).roots.every(isMapOrNothing)) continue;
    throw new DtError('DT_YAML_INVALID', `${name} holds no values: it is not a map`);
  }
}

function isMapOrNothing(root: YamlNode): boolean {
  const node = dereference(root);
  return node.kind === 'map' || (node.kind === 'scalar' && /^(?:|~|null)$/i.test(node.text));
}
