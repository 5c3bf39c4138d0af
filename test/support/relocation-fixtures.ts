import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parseChartMetadata } from '../../src/domain/chart/chart-metadata.ts';
import { sortChartTree, type ChartEntry, type ChartTree } from '../../src/domain/chart/chart-tree.ts';
import type { Chart, Subchart } from '../../src/domain/chart/chart.ts';
import type { Digest } from '../../src/domain/oci/digest.ts';
import { parseReference } from '../../src/domain/oci/reference.ts';
import { createKnownImages } from '../../src/domain/relocation/known-images.ts';
import { relocateChart, type RelocatedChart } from '../../src/domain/relocation/relocate-chart.ts';
import { parseRelocationPrefix } from '../../src/domain/relocation/relocation-prefix.ts';
import { relocateValues, type RelocatedValues } from '../../src/domain/relocation/values-images.ts';
import { readYamlTree } from '../../src/domain/yaml/read-yaml-tree.ts';

const SHARED = join(import.meta.dirname, '../../../shared');
export const GOLDEN = join(SHARED, 'formats/golden');
export const CORPUS = join(SHARED, 'corpus');
export const PREFIX = 'acme.com/federal';

export function readTable<T>(name: string): T[] {
  return JSON.parse(readFileSync(join(GOLDEN, 'tables', name), 'utf8')) as T[];
}

export function relocateText(text: string, prefix = PREFIX, known: readonly string[] = []): RelocatedValues {
  const images = createKnownImages(known.map((image) => parseReference(image)));
  return relocateValues(readYamlTree(text, 'values.yaml'), parseRelocationPrefix(prefix), images);
}

/** The files of a folder by their relative paths. */
export function readFolder(folder: string, under = ''): Map<string, string> {
  const files = new Map<string, string>();
  for (const name of readdirSync(join(folder, under)).sort()) {
    const path = posix.join(under, name);
    if (statSync(join(folder, path)).isDirectory()) for (const file of readFolder(folder, path)) files.set(...file);
    else files.set(path, readFileSync(join(folder, path), 'utf8'));
  }
  return files;
}

/** A chart from its files; every folder in `charts/` with a Chart.yaml is a subchart, `packed` adds archives. */
export function buildChart(files: ReadonlyMap<string, string>, packed: Readonly<Record<string, Chart>> = {}): Chart {
  const entries: ChartEntry[] = [...files].map(([path, text]) => ({
    path,
    type: 'file',
    mode: 0o644,
    bytes: new TextEncoder().encode(text),
  }));
  const folders = new Set(
    [...files.keys()].flatMap((path) => /^charts\/[^/]+(?=\/Chart\.yaml$)/.exec(path)?.[0] ?? []),
  );
  const subcharts: Subchart[] = [...folders].map((path) => {
    const own = [...files].filter(([file]) => file.startsWith(`${path}/`));
    const chart = buildChart(new Map(own.map(([file, text]) => [file.slice(path.length + 1), text])));
    return { path, isPacked: false, chart };
  });
  for (const [path, chart] of Object.entries(packed)) {
    subcharts.push({ path, isPacked: true, chart });
    entries.push({ path, type: 'file', mode: 0o600, bytes: new TextEncoder().encode('archive') });
  }
  const name = /^name: (.*)$/m.exec(files.get('Chart.yaml') ?? '')?.[1] ?? 'c';
  const metadata = {
    apiVersion: 'v2',
    name,
    version: '1.0.0',
    appVersion: '',
    annotations: {},
    dependencies: [],
    document: {},
  };
  return { metadata, tree: sortChartTree(entries), subcharts };
}

export interface RelocateFilesOptions {
  readonly prefix?: string;
  readonly annotationKeys?: readonly string[];
  readonly valuesFiles?: readonly string[];
  readonly replacedIndexes?: ReadonlyMap<Digest, Digest>;
  readonly repackSubchart?: (chart: Chart, tree: ChartTree) => Promise<Uint8Array>;
}

export function relocateWith(chart: Chart, options: RelocateFilesOptions = {}): Promise<RelocatedChart> {
  return relocateChart(chart, {
    prefix: parseRelocationPrefix(options.prefix ?? PREFIX),
    annotationKeys: options.annotationKeys ?? ['images'],
    valuesFiles: options.valuesFiles ?? ['values.yaml'],
    ...(options.replacedIndexes === undefined ? {} : { replacedIndexes: options.replacedIndexes }),
    repackSubchart: options.repackSubchart ?? (() => Promise.reject(new Error('nothing to pack'))),
  });
}

export function textsOf(tree: ChartTree): Map<string, string> {
  const files = tree.filter((entry) => entry.type === 'file');
  return new Map(files.map((entry) => [entry.path, new TextDecoder('utf-8', { ignoreBOM: true }).decode(entry.bytes)]));
}

/** A chart with dependencies, from its files; `subcharts` lie under `charts/`. */
export function buildFamilyChart(
  values: string,
  subcharts: Readonly<Record<string, Chart>> = {},
  options: { readonly name?: string; readonly version?: string; readonly more?: string } = {},
): Chart {
  const { name = 'c', version = '1.0.0', more = '' } = options;
  const metadata = `apiVersion: v2\nname: ${name}\nversion: ${version}\n${more}`;
  const files = new Map([
    ['Chart.yaml', metadata],
    ['values.yaml', values],
  ]);
  const packed = Object.fromEntries(
    Object.entries(subcharts).map(([file, chart]) => [`charts/${file}.tgz`, chart] as const),
  );
  return { ...buildChart(files, packed), metadata: parseChartMetadata(metadata, name) };
}

/** Relocates the chart; the trees of its subcharts are caught on their way into an archive. */
export async function relocateFamily(chart: Chart): Promise<Chart> {
  const trees = new Map<Chart, Chart['tree']>();
  const { tree } = await relocateWith(chart, {
    repackSubchart: (subchart, changed) => {
      trees.set(subchart, changed);
      return Promise.resolve(Buffer.from(`packed again ${String(trees.size)}`));
    },
  });
  const rebuild = (member: Chart): Chart => ({
    ...member,
    tree: trees.get(member) ?? member.tree,
    subcharts: member.subcharts.map((subchart) => ({ ...subchart, chart: rebuild(subchart.chart) })),
  });
  return { ...rebuild(chart), tree };
}
