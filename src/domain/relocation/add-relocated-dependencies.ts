import { findChartFile } from '../chart/chart-tree.ts';
import type { Chart } from '../chart/chart.ts';
import { relocateDependencies, type DependencyFile, type RelocatedDependencyFile } from './relocate-dependencies.ts';
import type { RelocatedFile } from './relocate-image-list.ts';

/** What declares dependencies, with its lock; charts of apiVersion v1 have the first. */
const DEPENDENCY_FILES = [
  ['requirements.yaml', 'requirements.lock'],
  ['Chart.yaml', 'Chart.lock'],
] as const;
/** Puts the files that name dependencies, relocated, among those of the chart that declare images; one may do both. */
export function addRelocatedDependencies(
  chart: Chart,
  label: string,
  repository: string | undefined,
  declaring: Map<string, RelocatedFile>,
): void {
  const files = DEPENDENCY_FILES.find(([name]) => findChartFile(chart.tree, name) !== undefined);
  if (repository === undefined || files === undefined) return;
  const [path, lockPath] = files;
  const read = (name: string): DependencyFile | undefined => {
    const bytes = declaring.get(name)?.bytes ?? findChartFile(chart.tree, name)?.bytes;
    return bytes === undefined ? undefined : { bytes, name: label + name };
  };
  const file = read(path);
  if (file === undefined) return;
  const { declaration, lock } = relocateDependencies(file, read(lockPath), repository);
  const add = (name: string, relocated: RelocatedDependencyFile | undefined): void => {
    if (relocated === undefined) return;
    const { changes = [], references = [] } = declaring.get(name) ?? {};
    declaring.set(name, { bytes: relocated.bytes, changes: [...changes, ...relocated.changes], references });
  };
  add(path, declaration);
  add(lockPath, lock);
}
