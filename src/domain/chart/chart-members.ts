import { isDtError } from '../errors.ts';
import { parseSemanticVersion } from '../version/semantic-version.ts';
import { parseVersionRange } from '../version/version-range.ts';
import type { Chart } from './chart.ts';

/** A subchart under the name by which the values of its parent reach it. */
export interface ChartMember {
  /** The alias of the dependency, else the name of the chart. */
  readonly name: string;
  readonly chart: Chart;
}

/**
 * The subcharts as Helm deploys them: what no dependency declares under its own name, then each dependency, which takes
 * the first subchart with its name and a version that fits. One subchart may serve several dependencies. Conditions and
 * tags are not looked at: whoever installs the chart may switch a dependency on.
 */
export function listChartMembers(chart: Chart): readonly ChartMember[] {
  const { dependencies } = chart.metadata;
  const subcharts = chart.subcharts.map((subchart) => subchart.chart);
  const isTaken = (subchart: Chart): boolean => dependencies.some((dependency) => fits(dependency, subchart));
  const undeclared = subcharts.filter((subchart) => !isTaken(subchart));
  const declared = dependencies.flatMap((dependency) => {
    const subchart = subcharts.find((candidate) => fits(dependency, candidate));
    return subchart === undefined ? [] : [{ name: dependency.alias || dependency.name, chart: subchart }];
  });
  return [...undeclared.map((subchart) => ({ name: subchart.metadata.name, chart: subchart })), ...declared];
}

function fits(dependency: { readonly name: string; readonly version: string }, { metadata }: Chart): boolean {
  return dependency.name === metadata.name && isInRange(metadata.version, dependency.version);
}

function isInRange(version: string, range: string): boolean {
  const parsed = parseSemanticVersion(version);
  if (parsed === undefined) return version === range;
  try {
    return parseVersionRange(range)(parsed);
  } catch (error) {
    if (isDtError(error, 'DT_USAGE')) return false;
    throw error;
  }
}
