import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { REPOSITORY_ROOT } from '../../scripts/lib/run-command.ts';
import type { PluginSite } from './plugin-site.ts';
import type { RunCliResult } from './run-cli.ts';

export const INSTALL_SCRIPT = join(REPOSITORY_ROOT, 'scripts', 'install.sh');

export async function install({ sandbox, env }: PluginSite, ...args: readonly string[]): Promise<RunCliResult> {
  return sandbox.run(args, { command: INSTALL_SCRIPT, env });
}

export async function assertInstalls(site: PluginSite, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await install(site, ...args);
  assert.equal(code, 0, stderr);
}

export async function listVersion({ helmOk }: PluginSite): Promise<string | undefined> {
  return /^dt\s+(\S+)/m.exec(await helmOk('plugin', 'list'))?.[1];
}

/** The plugins of Helm but for archives that it keeps, and nothing that an installation has left. */
export async function listPlugins({ plugins }: PluginSite): Promise<string[]> {
  return (await readdir(plugins)).filter((name) => !/\.tgz(?:\.prov)?$/.test(name)).sort();
}
