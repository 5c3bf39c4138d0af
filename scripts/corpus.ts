import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { unpackChartArchive } from '../src/archive/chart-archive.ts';
import { readChartFolder } from '../src/archive/chart-folder.ts';
import { loadChart } from '../src/archive/load-chart.ts';
import type { Chart } from '../src/domain/chart/chart.ts';
import type { Confidence } from '../src/domain/discovery/discovered-image.ts';
import { isDtError } from '../src/domain/errors.ts';
import { createRunContext } from '../src/workflows/create-context.ts';
import { findImages, type FoundImages } from '../src/workflows/discovery/find-images.ts';
import { formatWhy } from '../src/output/found-images.ts';
import { compareWithTruth, readTruth } from './corpus/compare-truth.ts';
import { listCharts } from './corpus/list-charts.ts';

/**
 * Finds the images of every chart in the folders given with the user's Helm, and prints one line for each chart, a line for
 * each failure and the sums.
 *   scripts/corpus.ts DIR… [--kube-version 1.34.0] [--truth FOLDER] [--all-variants] [--list]
 */
const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'kube-version': { type: 'string' },
    truth: { type: 'string' },
    'all-variants': { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
});

interface Measured {
  readonly found: FoundImages;
  readonly durationMs: number;
}

const CONFIDENCES: readonly Confidence[] = ['declared', 'rendered', 'likely', 'dormant'];

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const context = await createRunContext({
  reporter: {
    section: async (_title, run) => run(),
    step: async (_title, run) =>
      run({ setTotalBytes: () => undefined, addBytes: () => undefined, setStatus: () => undefined }),
    info: () => undefined,
    warn: () => undefined,
    debug: () => undefined,
  },
  prompter: { confirm: async () => false },
  signal: new AbortController().signal,
  environment: process.env,
  insecure: [],
  usePlainHttp: [],
  caFiles: [],
});

async function readChart(path: string): Promise<Chart> {
  const name = basename(path);
  if ((await stat(path)).isDirectory()) return loadChart(await readChartFolder(path), name);
  return loadChart(await unpackChartArchive(await readFile(path), name), name);
}

const measured: Measured[] = [];
let failures = 0;
let chartCount = 0;
for (const path of (await Promise.all(positionals.map((folder) => listCharts(folder)))).flat()) {
  const name = basename(path);
  chartCount++;
  const fail = (text: string): void => {
    failures++;
    print(`  FAILURE ${name}: ${text}`);
  };
  try {
    const chart = await readChart(path);
    const truth = await readTruth(flags.truth, name);
    const override = truth?.override ?? undefined;
    const startedAtMs = performance.now();
    const found = await findImages(
      chart,
      {
        valuesFiles: override === undefined ? [] : [{ name: 'override', bytes: Buffer.from(override) }],
        set: [],
        kubeVersion: truth?.kubeVersion ?? flags['kube-version'],
        apiVersions: [],
        allVariants: flags['all-variants'],
      },
      context,
    );
    const durationMs = performance.now() - startedAtMs;
    const counts = CONFIDENCES.map(
      (confidence) => `${confidence} ${String(found.images.filter((image) => image.confidence === confidence).length)}`,
    );
    print(
      `${name}: ${counts.join(', ')}; ${String(found.statistics.renders)} renderings, ${durationMs.toFixed(0)} ms` +
        ` (Helm ${found.statistics.durationMs.toFixed(0)} ms)`,
    );
    if (flags.list)
      for (const image of found.images) print(`  ${image.confidence} ${image.reference} ${formatWhy(image)}`);
    if (found.rendering.state === 'no-helm') fail('there is no Helm: set HELM_BIN');
    else if (found.rendering.state === 'failed') fail(found.rendering.error.message);
    else measured.push({ found, durationMs });
    for (const problem of found.problems) fail(problem);
    if (truth !== undefined) for (const text of compareWithTruth(found.images, truth)) fail(text);
    for (const image of found.images) {
      const isUntraced = image.reasons.some(
        (reason) => reason.kind === 'rendering' && reason.field === 'pod' && reason.origins.length === 0,
      );
      if (isUntraced) fail(`no place is the head of ${image.reference}`);
    }
  } catch (error) {
    fail(isDtError(error) ? error.message : String(error));
  }
}

const sum = (confidence: Confidence): string =>
  String(measured.flatMap(({ found }) => found.images).filter((image) => image.confidence === confidence).length);
const quantile = (numbers: readonly number[], part: number): string => {
  const sorted = numbers.toSorted((left, right) => left - right);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toFixed(0);
};
const renders = measured.map(({ found }) => found.statistics.renders);
const durations = measured.map(({ durationMs }) => durationMs);
print(
  [
    `${String(chartCount)} charts, ${String(measured.length)} rendered`,
    `images: ${CONFIDENCES.map((confidence) => `${confidence} ${sum(confidence)}`).join(', ')}`,
    `renderings per chart: median ${quantile(renders, 0.5)}, p90 ${quantile(renders, 0.9)}, most ${quantile(renders, 1)}`,
    `milliseconds per chart: median ${quantile(durations, 0.5)}, p90 ${quantile(durations, 0.9)}, most ${quantile(durations, 1)}`,
    `failures: ${String(failures)}`,
  ].join('\n'),
);
