import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeCommands, describeGlobalFlags } from '../../src/commands/describe-commands.ts';
import { formatCompletionYaml } from '../lib/completion-yaml.ts';
import { formatManPage } from '../lib/man-page.ts';
import { REPOSITORY_ROOT } from '../lib/run-command.ts';
import type { BundledProgram } from './bundle-program.ts';
import type { Platform } from './platforms.ts';
import type { PluginFile } from './plugin-archive.ts';

const LAUNCHERS = join(import.meta.dirname, 'launchers');
const BUNDLE_LOADER = join(import.meta.dirname, 'loaders', 'universal.cjs');

/** What is the same in every package: descriptions and completions. */
export async function listCommonFiles(): Promise<PluginFile[]> {
  const schemas = await readdir(join(REPOSITORY_ROOT, 'schemas'));
  return [
    { name: 'LICENSE', content: await readFile(join(REPOSITORY_ROOT, 'LICENSE'), 'utf8') },
    { name: 'completion.yaml', content: formatCompletionYaml(describeCommands()) },
    { name: 'dt.1', content: formatManPage(describeCommands(), describeGlobalFlags()) },
    { name: 'plugin.complete', content: await readCompleter(), isProgram: true },
    ...(await Promise.all(
      schemas.map(async (name) => ({ name, content: await readFile(join(REPOSITORY_ROOT, 'schemas', name)) })),
    )),
  ];
}

/** The program as one file for the Node.js of the host, with what starts it on each system. */
export async function listUniversalFiles({ modules }: BundledProgram): Promise<PluginFile[]> {
  const loader = await readFile(BUNDLE_LOADER, 'utf8');
  const sources = JSON.stringify(Object.fromEntries([...modules].sort(([a], [b]) => (a < b ? -1 : 1))));
  const cmd = await readFile(join(LAUNCHERS, 'dt.cmd'), 'utf8');
  return [
    { name: 'dt', content: await readFile(join(LAUNCHERS, 'dt')), isProgram: true },
    { name: 'dt.cmd', content: cmd.replace(/\r?\n/g, '\r\n'), isProgram: true },
    { name: 'dt.cjs', content: loader.replace('MODULE_SOURCES', () => sources) },
  ];
}

/** The executable under the name under which `plugin.yaml` looks for it. */
export function describeExecutableFile(platform: Platform, content: Buffer): PluginFile {
  return { name: platform.host?.platform === 'win32' ? 'dt.exe' : 'dt', content, isProgram: true };
}

/** In a package the program lies beside it. */
async function readCompleter(): Promise<string> {
  const own = await readFile(join(REPOSITORY_ROOT, 'plugin.complete'), 'utf8');
  return own.replace('/bin/dt"', '/dt"');
}
