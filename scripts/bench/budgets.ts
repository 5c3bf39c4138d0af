import type { Run } from './measure.ts';
import { EXECUTABLE_START, NODE_START, type StartUp } from './start-up.ts';
import { summarize, summarizeDifferences, summarizeRatios } from './statistics.ts';

// The budgets that the design sets.
const MAX_WRAP_RATIO = 2;
const MAX_UNWRAP_RATIO = 1;
const MAX_REPEATED_UNWRAP_SECONDS = 0.5;
const MAX_OVERHEAD_PERCENT = 0.5;
const MAX_PEAK_MEBIBYTES = 220;
const MAX_INFO_READ_BYTES = 1024 * 1024;
const MAX_INFO_SECONDS = 0.15;
const MAX_START_SECONDS = 0.04;
const MAX_PACKAGE_BYTES = 60_000_000;

export interface Measurements {
  readonly wrap: readonly Run[];
  readonly cranePull: readonly Run[];
  readonly unwrap: readonly Run[];
  readonly craneCopy: readonly Run[];
  readonly repeatedUnwrap: readonly Run[];
  readonly info: readonly Run[];
  /** Through a proxy: nothing fails, and a share of the requests fails. */
  readonly steadyWrap: readonly Run[];
  readonly flakyWrap: readonly Run[];
  readonly steadyUnwrap: readonly Run[];
  readonly flakyUnwrap: readonly Run[];
  readonly uniqueBytes: number;
  readonly wrapBytes: number;
  readonly infoReadBytes: number;
  /** What appeared beside the wrap while it was written, its own `.partial` files left out. */
  readonly strayFiles: readonly string[];
  /** Absent where no executable can be built. */
  readonly startUp?: StartUp;
}

export interface Verdict {
  readonly budget: string;
  readonly measured: string;
  readonly holds: boolean;
}

/** Holds the measurements against the budgets: medians, except for memory, where every run counts. */
export function judge(measured: Measurements): Verdict[] {
  const wrapRatio = summarizeRatios(walls(measured.wrap), walls(measured.cranePull)).median;
  const unwrapRatio = summarizeRatios(walls(measured.unwrap), walls(measured.craneCopy)).median;
  const repeatedSeconds = summarize(walls(measured.repeatedUnwrap)).median;
  const infoSeconds = summarize(walls(measured.info)).median;
  const own = [...measured.wrap, ...measured.unwrap, ...measured.repeatedUnwrap, ...measured.info];
  const peakMebibytes = Math.max(...own.map((run) => run.peakMebibytes));
  const overheadPercent = (measured.wrapBytes / measured.uniqueBytes - 1) * 100;
  const temporaryFiles = [...own.flatMap((run) => run.temporaryFiles), ...measured.strayFiles];
  return [
    atMost('wrap / crane pull', wrapRatio, MAX_WRAP_RATIO, (value) => `${value.toFixed(2)} x`),
    atMost('unwrap / crane copy', unwrapRatio, MAX_UNWRAP_RATIO, (value) => `${value.toFixed(2)} x`),
    atMost('unwrap, everything present', repeatedSeconds, MAX_REPEATED_UNWRAP_SECONDS, formatSeconds),
    atMost('size over unique blob bytes', overheadPercent, MAX_OVERHEAD_PERCENT, (value) => `${value.toFixed(3)} %`),
    atMost('peak memory of dt', peakMebibytes, MAX_PEAK_MEBIBYTES, (value) => `${value.toFixed(0)} MiB`),
    atMost('temporary files', temporaryFiles.length, 0, String),
    atMost(
      'bytes read by info',
      measured.infoReadBytes,
      MAX_INFO_READ_BYTES,
      (value) => `${(value / 1024).toFixed(0)} KiB`,
    ),
    atMost('info', infoSeconds, MAX_INFO_SECONDS, formatSeconds),
    ...(measured.startUp === undefined ? [] : judgeStartUp(measured.startUp)),
  ];
}

function judgeStartUp({ runs, packageBytes }: StartUp): Verdict[] {
  const [own, node] = [runs[EXECUTABLE_START] ?? [], runs[NODE_START] ?? []];
  const seconds = summarizeDifferences(walls(own), walls(node)).median;
  return [
    atMost('version of the executable over node', seconds, MAX_START_SECONDS, formatSeconds),
    atMost('package', packageBytes, MAX_PACKAGE_BYTES, (value) => `${(value / 1e6).toFixed(1)} MB`),
  ];
}

export function walls(runs: readonly Run[]): number[] {
  return runs.map((run) => run.wallSeconds);
}

function atMost(name: string, value: number, limit: number, format: (value: number) => string): Verdict {
  return { budget: `${name} <= ${format(limit)}`, measured: format(value), holds: value <= limit };
}

function formatSeconds(value: number): string {
  return `${value.toFixed(3)} s`;
}
