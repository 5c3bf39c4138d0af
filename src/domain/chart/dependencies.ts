import { DtError } from '../errors.ts';
import type { Chart } from './chart.ts';

/**
 * Names of the declared dependencies that do not lie in `charts/`, each once and sorted: an alias stands for the same
 * chart. Helm wants all of them there, also those that a condition switches off.
 */
export function findMissingDependencies(chart: Chart): string[] {
  const present = new Set(chart.subcharts.map((subchart) => subchart.chart.metadata.name));
  const declared = new Set(chart.metadata.dependencies.map((dependency) => dependency.name));
  return [...declared].filter((name) => !present.has(name)).sort();
}

/** Throws DT_DEPENDENCY_MISSING if the chart or a subchart lacks a declared dependency: its images would be left out. */
export function requireDependencies(chart: Chart): void {
  const missing = findMissingDependencies(chart);
  if (missing.length > 0) {
    throw new DtError(
      'DT_DEPENDENCY_MISSING',
      `the chart "${chart.metadata.name}" lacks declared dependencies in charts/: ${missing.join(', ')}`,
      { hints: ['helm dependency update'] },
    );
  }
  for (const subchart of chart.subcharts) requireDependencies(subchart.chart);
}
