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
import { SilentReporter } from '../src/output/silent-reporter.ts';
import type { RenderOptions } from '../src/helm/render-input.ts';
import { compareWithTruth, readTruth, type ChartTruth } from './corpus/compare-truth.ts';
import { measureRelocation, type MeasuredRelocation } from './corpus/measure-relocation.ts';
import { listCharts } from './corpus/list-charts.ts';

/**
 * Takes every chart in the folders given through the whole cycle with the user's Helm: finds its images, relocates it, renders it before
 * and after. Prints one line for each chart, a line for each failure and the sums.
 *   scripts/corpus.ts DIR… [--kube-version 1.34.0] [--truth FOLDER] [--all-variants] [--list] [--only find|relocate]
 */
const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'kube-version': { type: 'string' },
    truth: { type: 'string' },
    'all-variants': { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
});

interface MeasuredDiscovery {
  readonly found: FoundImages;
  readonly durationMs: number;
}

const CONFIDENCES: readonly Confidence[] = ['declared', 'rendered', 'likely', 'dormant'];

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const context = await createRunContext({
  reporter: new SilentReporter({ write: () => undefined, showsWarnings: false }),
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

const discoveries: MeasuredDiscovery[] = [];
const relocations: MeasuredRelocation[] = [];
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
    const render = {
      valuesFiles: override === undefined ? [] : [{ name: 'override', bytes: Buffer.from(override) }],
      set: [],
      kubeVersion: truth?.kubeVersion ?? flags['kube-version'],
      apiVersions: [],
    };
    if (flags.only !== 'relocate') await find(chart, name, render, truth, fail);
    if (flags.only !== 'find') await relocate(chart, name, render, fail);
  } catch (error) {
    fail(isDtError(error) ? error.message : String(error));
  }
}
for (const line of [`${String(chartCount)} charts`, ...summarizeDiscoveries(), ...summarizeRelocations()]) print(line);
print(`failures: ${String(failures)}`);

async function find(
  chart: Chart,
  name: string,
  render: RenderOptions,
  truth: ChartTruth | undefined,
  fail: (text: string) => void,
): Promise<void> {
  const startedAtMs = performance.now();
  const found = await findImages(chart, { ...render, allVariants: flags['all-variants'] }, context);
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
  else discoveries.push({ found, durationMs });
  for (const problem of found.problems) fail(problem);
  if (truth !== undefined) for (const text of compareWithTruth(found.images, truth)) fail(text);
}

async function relocate(
  chart: Chart,
  name: string,
  render: RenderOptions,
  fail: (text: string) => void,
): Promise<void> {
  const measured = await measureRelocation(chart, render, context);
  relocations.push(measured);
  const { proof, images, relocated, left, durationMs } = measured;
  print(
    `${name}: ${String(relocated)} of ${String(images)} images relocated, ${String(left)} left; ` +
      `${String(proof.renderCount)} renderings, ${durationMs.toFixed(0)} ms`,
  );
  for (const text of measured.failures) fail(text);
  for (const { why, reference, template, object, path, origins } of proof.left) {
    const places = origins.map(({ file, line, path }) => `${file}:${String(line)} ${path}`);
    print(`  LEFT ${why} ${reference} ${template} ${object} ${path} ${places.join(', ')}`);
  }
  for (const { file, line, path, to } of proof.withdrawn) print(`  WITHDRAWN ${file}:${String(line)} ${path} ${to}`);
}

function summarizeDiscoveries(): string[] {
  if (discoveries.length === 0) return [];
  const images = discoveries.flatMap(({ found }) => found.images);
  const count = (confidence: Confidence): number => images.filter((image) => image.confidence === confidence).length;
  return [
    `found in ${String(discoveries.length)}: ${CONFIDENCES.map((confidence) => `${confidence} ${String(count(confidence))}`).join(', ')}`,
    ...describeCosts(discoveries.map(({ found, durationMs }) => ({ renders: found.statistics.renders, durationMs }))),
  ];
}

function summarizeRelocations(): string[] {
  if (relocations.length === 0) return [];
  const sum = (key: 'images' | 'relocated' | 'left' | 'otherLines' | 'needlessLines'): string =>
    String(relocations.reduce((total, measured) => total + measured[key], 0));
  return [
    `relocated ${String(relocations.length)} charts: ${sum('relocated')} of ${sum('images')} image fields, ${sum('left')} left and named`,
    `other lines of the rendering changed: ${sum('otherLines')}, lines of files changed without need: ${sum('needlessLines')}`,
    `all image fields relocated: ${String(relocations.filter(({ images, relocated }) => images === relocated).length)} charts`,
    ...describeCosts(relocations.map(({ proof, durationMs }) => ({ renders: proof.renderCount, durationMs }))),
  ];
}

function describeCosts(costs: readonly { readonly renders: number; readonly durationMs: number }[]): string[] {
  const describe = (numbers: readonly number[]): string =>
    `median ${quantile(numbers, 0.5)}, p90 ${quantile(numbers, 0.9)}, most ${quantile(numbers, 1)}`;
  return [
    `  renderings per chart: ${describe(costs.map(({ renders }) => renders))}`,
    `  milliseconds per chart: ${describe(costs.map(({ durationMs }) => durationMs))}`,
  ];
}

function quantile(numbers: readonly number[], part: number): string {
  const sorted = numbers.toSorted((left, right) => left - right);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0).toFixed(0);
}
