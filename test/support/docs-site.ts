import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { packArchive } from './archives.ts';
import {
  packShopChart,
  pushShopImages,
  SHOP_IMAGES,
  SHOP_METADATA,
  shopChartFiles,
  shopImageOptions,
  shopMetadata,
  writeShopChart,
} from './charts.ts';
import { createCosign } from './cosign.ts';
import { writeDocsPackages } from './docs-packages.ts';
import { pushChart, pushImage } from './images.ts';
import { serveFolder } from './plugin-site.ts';
import { startEmbeddedRegistry } from './registries.ts';
import { DT_PATH, runCli, type RunCliResult } from './run-cli.ts';
import { createSandbox } from './sandbox.ts';
import { requireTool } from './tools.ts';

/** The registries that the documentation talks of. */
export const SOURCE_NAME = 'registry.example.com';
export const TARGET_NAME = 'registry.internal';
/** The web server of docs/install.md, which has the working directory. */
const FILES_ADDRESS = 'https://files.example.com';
const INSTALL_PAGE = 'install.md';

const PLUGIN_FOLDER = join(DT_PATH, '..', '..');

/** A place where every command line of the documentation can be run as it stands there. */
export interface DocsSite {
  /** Runs a line in a shell, with the names of the registries replaced, and says what it printed with the names put back. */
  run(line: string): Promise<RunCliResult>;
}

/**
 * A chart `shop` 1.2.3 and 1.2.4 in one registry, its images signed with `cosign.key`, an empty second registry, and in the working
 * directory the folder `shop`; `helm dt` is the built program in real Helm. The page about packages finds some. Undefined, with the test skipped, if a tool is missing.
 */
export async function openDocsSite(t: TestContext, page: string): Promise<DocsSite | undefined> {
  const [helm, cosign] = [requireTool(t, 'helm4'), await createCosign(t)];
  if (helm === undefined || cosign === undefined) return undefined;
  const sandbox = await createSandbox(t);
  const [source, target] = await Promise.all([startEmbeddedRegistry(), startEmbeddedRegistry()]);
  t.after(async () => Promise.all([source.close(), target.close()]));
  const pushed = await pushShopImages(source.host);
  for (const [reference, { digest }] of pushed) {
    await cosign.sign(`${source.host}/${reference.replace(/:.*$/, '')}@${digest}`);
  }
  const { host } = source;
  await pushChart(host, 'charts', shopMetadata(), await packShopChart(host));
  await pushNextVersion(host);
  await writeShopChart(join(sandbox.work, 'shop'), host);
  for (const [name, text] of [
    ['cosign.key', cosign.privateKey],
    ['cosign.pub', cosign.publicKey],
  ] as const) {
    await writeFile(join(sandbox.work, name), text);
  }
  if (page === INSTALL_PAGE && !(await writeDocsPackages(t, sandbox))) return undefined;
  const files = await serveFolder(t, sandbox.work);
  const programs = join(sandbox.home, 'bin');
  await mkdir(programs);
  await symlink(helm, join(programs, 'helm'));
  await symlink(DT_PATH, join(programs, 'dt'));
  // Helm's own place: from an archive it installs into no other.
  const plugins = join(sandbox.home, '.local', 'share', 'helm', 'plugins');
  await mkdir(plugins, { recursive: true });
  await symlink(PLUGIN_FOLDER, join(plugins, 'dt'));
  const env = {
    ...sandbox.env,
    COSIGN_PASSWORD: cosign.password,
    DT_NODE: process.execPath,
    PATH: `${programs}:/usr/bin:/bin`,
  };
  const toHosts = (text: string): string =>
    text.replaceAll(SOURCE_NAME, source.host).replaceAll(TARGET_NAME, target.host).replaceAll(FILES_ADDRESS, files);
  const toNames = (text: string): string =>
    text.replaceAll(source.host, SOURCE_NAME).replaceAll(target.host, TARGET_NAME);
  return {
    run: async (line) => {
      const result = await runCli(['-c', toHosts(line)], { command: '/bin/bash', cwd: sandbox.work, env });
      return { ...result, stdout: toNames(result.stdout), stderr: toNames(result.stderr) };
    },
  };
}

/** Version 1.2.4 of the chart: one of its images is newer. */
async function pushNextVersion(host: string): Promise<void> {
  const version = '1.2.4';
  const [api] = SHOP_IMAGES;
  if (api === undefined) throw new TypeError('the shop has no images');
  await pushImage(host, `${api.repository}:1.1`, shopImageOptions({ ...api, name: 'api-next' }));
  const files = Object.entries(shopChartFiles(host, version)).map(
    ([path, text]) =>
      [
        `${SHOP_METADATA.name}/${path}`,
        text.replaceAll('api:1.0', 'api:1.1').replaceAll('tag: "1.0"', 'tag: "1.1"'),
      ] as const,
  );
  await pushChart(host, 'charts', shopMetadata(version), await packArchive(Object.fromEntries(files)));
}
