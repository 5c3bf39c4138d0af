import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { parseImagesLock } from '../../src/domain/lock/parse-lock.ts';
import { readArchiveFiles } from './archives.ts';
import { pushImage } from './images.ts';
import { startEmbeddedRegistry, type EmbeddedRegistry } from './registries.ts';
import type { RunCliOptions, RunCliResult } from './run-cli.ts';
import { createSandbox, type Sandbox } from './sandbox.ts';
import { requireTool, type ToolName } from './tools.ts';

/** For `HELM_BIN`: a name that no folder of PATH has. */
export const NO_HELM = 'helm-that-is-not-there';

/** A registry with images `team/NAME:1`, and charts that run them. */
export interface DiscoverySite {
  readonly sandbox: Sandbox;
  readonly registry: EmbeddedRegistry;
  readonly host: string;
  /** Writes a chart with these files into a folder of this name; `HOST` stands for the registry. */
  writeChart(name: string, files: Readonly<Record<string, string>>): Promise<void>;
  /** Runs the program with Helm at hand. */
  run(args: readonly string[], options?: RunCliOptions): Promise<RunCliResult>;
  /** The same, and throws unless it ends with 0. Returns what it said. */
  runOk(args: readonly string[], options?: RunCliOptions): Promise<string>;
  readText(path: string): Promise<string>;
  /** `CHART NAME IMAGE` of a lock, without the registry; also from a wrap, if it is one. */
  readLock(path: string): Promise<string[]>;
  readWrapped(path: string): Promise<ReadonlyMap<string, Buffer>>;
}

export async function createDiscoverySite(
  t: TestContext,
  images: readonly string[],
  tool: ToolName = 'helm3',
): Promise<DiscoverySite | undefined> {
  const helm = requireTool(t, tool);
  if (helm === undefined) return undefined;
  const sandbox = await createSandbox(t);
  const registry = await startEmbeddedRegistry();
  t.after(async () => registry.close());
  const { host } = registry;
  for (const name of images) await pushImage(host, `team/${name}:1`, { seed: name });
  const at = (path: string): string => join(sandbox.work, path);
  const run: DiscoverySite['run'] = async (args, options = {}) =>
    sandbox.run(args, { ...options, env: { HELM_BIN: helm, ...options.env } });
  const readWrapped: DiscoverySite['readWrapped'] = async (path) => readArchiveFiles(at(path));
  return {
    sandbox,
    registry,
    host,
    writeChart: async (name, files) => {
      const all = { 'Chart.yaml': `apiVersion: v2\nname: ${name}\nversion: 1.0.0\n`, ...files };
      for (const [path, text] of Object.entries(all)) {
        await mkdir(dirname(at(join(name, path))), { recursive: true });
        await writeFile(at(join(name, path)), text.replaceAll('HOST', host));
      }
    },
    run,
    runOk: async (args, options) => {
      const { code, stdout, stderr } = await run(args, options);
      if (code !== 0) throw new Error(`dt ${args.join(' ')} ended with ${String(code)}:\n${stdout}${stderr}`);
      return stdout + stderr;
    },
    readText: async (path) => readFile(at(path), 'utf8'),
    readLock: async (path) => {
      const bytes = path.endsWith('.tgz')
        ? (await readWrapped(path)).get('chart/Images.lock')
        : await readFile(at(path));
      const { images: locked } = parseImagesLock(String(bytes), path);
      return locked.map(({ chart, name, image }) => `${chart} ${name} ${image.replace(`${host}/`, '')}`);
    },
    readWrapped,
  };
}

/** A pod that runs these images. */
export function podOf(name: string, ...images: readonly string[]): string {
  const containers = images.map((image, index) => `    - name: c${String(index)}\n      image: ${image}\n`);
  return `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec:\n  containers:\n${containers.join('')}`;
}

/** The end of a Chart.yaml that names images of the registry. */
export function annotationOf(...names: readonly string[]): string {
  const entries = names.map((name) => `    - name: ${name}\n      image: HOST/team/${name}:1\n`);
  return `annotations:\n  images: |\n${entries.join('')}`;
}
