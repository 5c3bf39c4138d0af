import { judge, walls, type Measurements } from './budgets.ts';
import { FAILING_PERCENT } from './flaky-network.ts';
import type { Run } from './measure.ts';
import { NODE_START, type StartUp } from './start-up.ts';
import { summarize, summarizeRatios } from './statistics.ts';

/** The table of times and memory, and the budgets that hold. */
export function formatReport(measured: Measurements): string {
  const rows = [
    ['', 'wall s: median', 'min', 'max', 'ratio: median', 'min', 'max', 'peak MiB', 'temporary files'],
    describeRow('wrap', measured.wrap, measured.cranePull),
    describeRow('  crane pull --format=oci', measured.cranePull),
    describeRow('unwrap, empty target', measured.unwrap, measured.craneCopy),
    describeRow('  crane copy', measured.craneCopy),
    describeRow('unwrap, everything present', measured.repeatedUnwrap, measured.craneCopy),
    describeRow('info', measured.info),
    describeRow(`wrap, ${String(FAILING_PERCENT)} % of requests failing`, measured.flakyWrap, measured.steadyWrap),
    describeRow('  none failing, same proxy', measured.steadyWrap),
    describeRow(
      `unwrap, ${String(FAILING_PERCENT)} % of requests failing`,
      measured.flakyUnwrap,
      measured.steadyUnwrap,
    ),
    describeRow('  none failing, same proxy', measured.steadyUnwrap),
    ...describeStartUp(measured.startUp),
  ];
  const sizes = `wrap ${String(measured.wrapBytes)} bytes, unique blobs ${String(measured.uniqueBytes)} bytes`;
  const verdicts = judge(measured).map(({ budget, measured: value, holds }) => [
    holds ? 'holds' : 'MISSED',
    budget,
    value,
  ]);
  return [formatTable(rows), sizes, formatTable(verdicts)].join('\n\n');
}

function describeStartUp(startUp: StartUp | undefined): string[][] {
  const runs = startUp?.runs ?? {};
  return Object.entries(runs).map(([name, own]) => describeRow(name, own, runs[NODE_START]));
}

function describeRow(name: string, runs: readonly Run[], baseline?: readonly Run[]): string[] {
  const wall = summarize(walls(runs));
  const ratio = baseline === undefined ? undefined : summarizeRatios(walls(runs), walls(baseline));
  const ratios =
    ratio === undefined ? ['', '', ''] : [ratio.median, ratio.min, ratio.max].map((value) => value.toFixed(2));
  const peakMebibytes = Math.max(...runs.map((run) => run.peakMebibytes));
  const files = runs.reduce((count, run) => count + run.temporaryFiles.length, 0);
  const times = [wall.median, wall.min, wall.max].map((value) => value.toFixed(3));
  return [name, ...times, ...ratios, peakMebibytes.toFixed(0), String(files)];
}

function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
