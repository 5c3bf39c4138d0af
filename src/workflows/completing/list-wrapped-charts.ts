import { wrapFolder } from '../../domain/wrap/wrap-document.ts';
import { inspectWrap } from '../inspect-wrap.ts';

/** The charts in a wrap by the names that `--chart` takes: with the version where a name alone says too little. Throws as `inspectWrap`. */
export async function listWrappedCharts(path: string, signal: AbortSignal): Promise<string[]> {
  const charts = (await inspectWrap(path, [], signal)).locks.map(({ lock }) => lock.chart);
  const isUnique = (name: string): boolean => charts.filter((chart) => chart.name === name).length === 1;
  return charts.map((chart) => (isUnique(chart.name) ? chart.name : wrapFolder(chart)));
}
