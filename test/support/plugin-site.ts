import assert from 'node:assert/strict';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, stat, symlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import { basename, join } from 'node:path';
import type { TestContext } from 'node:test';
import { pushShopImages, writeShopChart } from './charts.ts';
import { listTags } from './registry-content.ts';
import { startEmbeddedRegistry } from './registries.ts';
import type { RunCliOptions, RunCliResult } from './run-cli.ts';
import { createSandbox, type Sandbox } from './sandbox.ts';
import { requireTool, type ToolName } from './tools.ts';

/** What the launchers and scripts of a package may use; Node.js is not among them. */
const SYSTEM_PROGRAMS =
  'basename cat cp cut dirname gzip ls mkdir mv readlink rm sed sh sha256sum sort tar uname'.split(' ');

/** A Helm without plugins, on a machine without Node.js. */
export interface PluginSite {
  readonly sandbox: Sandbox;
  readonly helmPath: string;
  /** Where this Helm has its plugins; the path has a blank and letters beyond ASCII. */
  readonly plugins: string;
  /** For programs that are to find this Helm, and no Node.js. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly helm: (...args: readonly string[]) => Promise<RunCliResult>;
  /** Returns standard output. Throws unless Helm ends with 0. */
  readonly helmOk: (...args: readonly string[]) => Promise<string>;
}

/** `variables` are added to its environment. Undefined, with the test skipped, without that Helm. */
export async function openPluginSite(
  t: TestContext,
  tool: ToolName,
  variables: Readonly<Record<string, string>> = {},
): Promise<PluginSite | undefined> {
  const helmPath = requireTool(t, tool);
  if (helmPath === undefined) return undefined;
  const sandbox = await createSandbox(t);
  const programs = join(sandbox.home, 'programs');
  await mkdir(programs);
  for (const name of SYSTEM_PROGRAMS) {
    await symlink(findSystemProgram(name), join(programs, name));
  }
  await symlink(helmPath, join(programs, 'helm'));
  const dataFolder = join(sandbox.home, 'hélm data');
  const env = { ...variables, HELM_DATA_HOME: dataFolder, PATH: programs };
  const options: RunCliOptions = { command: helmPath, env };
  return {
    sandbox,
    helmPath,
    plugins: join(dataFolder, 'plugins'),
    env,
    helm: async (...args) => sandbox.run(args, options),
    helmOk: async (...args) => sandbox.runOk(args, options),
  };
}

/** `helm dt` carries a chart with its images from one registry to another. */
export async function carryChart(t: TestContext, { sandbox, helmOk }: PluginSite): Promise<void> {
  const [source, target] = await Promise.all([startEmbeddedRegistry(), startEmbeddedRegistry()]);
  t.after(async () => Promise.all([source.close(), target.close()]));
  const pushed = await pushShopImages(source.host);
  await writeShopChart(join(sandbox.work, 'shop'), source.host);
  await helmOk('dt', 'wrap', 'shop', '--output-file', 'carried.wrap.tgz');
  assert.match(await helmOk('dt', 'info', 'carried.wrap.tgz'), /Chart: shop\n/);
  await helmOk('dt', 'unwrap', 'carried.wrap.tgz', `oci://${target.host}/m`, '--yes');
  const tags = await listTags(target.host);
  for (const [name, { digest }] of pushed) assert.equal(tags.get(`m/${name}`), digest);
}

/** Serves the files of a folder, as a web server that knows archives does. Returns the start of their addresses. */
export async function serveFolder(t: TestContext, folder: string): Promise<string> {
  const server = createServer((request, response) => {
    const path = join(folder, basename(request.url ?? ''));
    stat(path).then(
      ({ size }) => {
        response.writeHead(200, { 'content-type': 'application/gzip', 'content-length': size });
        if (request.method === 'HEAD') response.end();
        else createReadStream(path).pipe(response);
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new TypeError('the server has no port');
  return `http://127.0.0.1:${String(address.port)}`;
}

function findSystemProgram(name: string): string {
  const path = ['/bin', '/usr/bin'].map((folder) => join(folder, name)).find((candidate) => existsSync(candidate));
  if (path === undefined) throw new Error(`this system has no program ${name}`);
  return path;
}
