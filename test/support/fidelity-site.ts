import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { useForeignClients, type ForeignClients } from './foreign-clients.ts';
import {
  startDistribution2,
  startDistribution3,
  startEmbeddedRegistry,
  type EmbeddedRegistry,
  type TestRegistry,
  type TestRegistryOptions,
} from './registries.ts';
import { createSandbox, type Sandbox } from './sandbox.ts';
import { requireTool, type ToolName } from './tools.ts';

/** A kind of registry that things are unwrapped into. */
export interface TargetKind {
  readonly name: string;
  readonly tool: ToolName | undefined;
  readonly start: (options?: TestRegistryOptions) => Promise<TestRegistry>;
}

export const EMBEDDED: TargetKind = { name: 'the embedded registry', tool: undefined, start: startEmbeddedRegistry };
export const DISTRIBUTION_2: TargetKind = { name: 'distribution 2', tool: 'registry2', start: startDistribution2 };
export const DISTRIBUTION_3: TargetKind = { name: 'distribution 3', tool: 'registry3', start: startDistribution3 };
export const TARGET_KINDS: readonly TargetKind[] = [DISTRIBUTION_2, DISTRIBUTION_3, EMBEDDED];

export interface FidelitySite {
  readonly sandbox: Sandbox;
  /** By default the embedded registry, which takes whatever the specification allows. */
  readonly source: TestRegistry;
  /** `METHOD TARGET STATUS` of every request to an embedded source so far. */
  readonly sourceRequests: readonly string[];
  readonly target: TestRegistry;
  readonly clients: ForeignClients;
}

/** A source, a target of the kind, and foreign clients to look into both. Undefined, with the test skipped, where a program is missing. */
export async function openFidelitySite(
  t: TestContext,
  kind: TargetKind,
  options: TestRegistryOptions = {},
  sourceKind: TargetKind = EMBEDDED,
): Promise<FidelitySite | undefined> {
  if (kind.tool !== undefined && requireTool(t, kind.tool) === undefined) return undefined;
  const sandbox = await createSandbox(t);
  const clients = useForeignClients(t, sandbox);
  if (clients === undefined) return undefined;
  const [source, target] = await Promise.all([sourceKind.start(), kind.start(options)]);
  t.after(async () => Promise.all([source.close(), target.close()]));
  return {
    sandbox,
    source,
    sourceRequests: 'requests' in source ? (source as EmbeddedRegistry).requests : [],
    target,
    clients,
  };
}

export interface ImageChart {
  /** Default `kinds`, also the name of the folder. */
  readonly name?: string;
  /** Default `1.0.0`. */
  readonly version?: string;
  /** In the annotation of Chart.yaml. */
  readonly images: readonly string[];
  /** More files, by their path in the chart. */
  readonly files?: Readonly<Record<string, string>>;
}

/** Writes a chart folder whose annotation names the images. */
export async function writeImageChart(sandbox: Sandbox, chart: ImageChart): Promise<void> {
  for (const [path, text] of Object.entries(imageChartFiles(chart))) {
    const file = join(sandbox.work, chart.name ?? 'kinds', path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

export function imageChartFiles({
  name = 'kinds',
  version = '1.0.0',
  images,
  files,
}: ImageChart): Record<string, string> {
  const list = images.map((image, index) => `    - {name: i${String(index)}, image: "${image}"}\n`).join('');
  const head = `apiVersion: v2\nname: ${name}\nversion: ${version}\n`;
  return { 'Chart.yaml': images.length === 0 ? head : `${head}annotations:\n  images: |\n${list}`, ...files };
}

/** What `dt unwrap --json` prints. */
export interface UnwrapDocument {
  readonly pushed: boolean;
  readonly warnings?: readonly string[];
  readonly charts: readonly {
    readonly name: string;
    readonly mode: string;
    readonly digest: string;
    readonly reference: string;
    readonly valuesFile?: string;
    readonly installCommand: string;
  }[];
  readonly images: readonly { readonly target: string; readonly digest: string; readonly sourceDigest?: string }[];
  readonly summary: {
    readonly presentImages: number;
    readonly identicalImages: number;
    readonly sentBytes: number;
    readonly blobs: { readonly written: number };
  };
}

/** Unwraps into `HOST/m` and returns what `--json` says. */
export async function unwrapToJson(
  { sandbox, target }: Pick<FidelitySite, 'sandbox' | 'target'>,
  file: string,
  flags: readonly string[] = [],
): Promise<UnwrapDocument> {
  return JSON.parse(
    await sandbox.runOk(['unwrap', file, `${target.host}/m`, '--yes', '--json', ...flags]),
  ) as UnwrapDocument;
}
