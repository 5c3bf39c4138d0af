import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PRODUCT_VERSION } from '../../src/domain/product.ts';
import { REPOSITORY_ROOT } from '../lib/run-command.ts';
import type { Platform } from './platforms.ts';
import type { PluginFile } from './plugin-archive.ts';

const SYSTEMS = ['linux', 'darwin', 'windows'] as const;
type System = (typeof SYSTEMS)[number];

/**
 * The plugin's own `plugin.yaml` with the version of the product and the program of a package; for the other systems what tells that the
 * package is not for them, because Helm does not say so.
 */
export async function listPluginYaml(platform: Platform, programs: readonly PluginFile[]): Promise<PluginFile[]> {
  const { systems, processor } = platform.helm;
  const hasProgram = (name: string): boolean => programs.some((file) => file.name === name);
  const entries = systems.flatMap((system) => {
    const program = system !== 'windows' ? 'dt' : hasProgram('dt.exe') ? 'dt.exe' : 'dt.cmd';
    return describeEntry(system, program, processor);
  });
  const others = processor === undefined ? [] : SYSTEMS;
  // Helm looks for system and processor first, then for the system alone.
  entries.push(
    ...others.flatMap((system) =>
      describeEntry(system, system === 'windows' ? 'wrong-platform.cmd' : 'wrong-platform'),
    ),
  );
  const own = await readFile(join(REPOSITORY_ROOT, 'plugin.yaml'), 'utf8');
  const [head = ''] = own.replace(/^version:.*$/m, `version: ${PRODUCT_VERSION}`).split(/^platformCommand:/m);
  return [
    { name: 'plugin.yaml', content: `${[`${head}platformCommand:`, ...entries].join('\n')}\n` },
    ...(others.length === 0 ? [] : listRefusals(platform)),
  ];
}

function describeEntry(system: System, program: string, processor?: string): string[] {
  return [
    `  - os: ${system}`,
    ...(processor === undefined ? [] : [`    arch: ${processor}`]),
    `    command: \${HELM_PLUGIN_DIR}${system === 'windows' ? '\\' : '/'}${program}`,
  ];
}

function listRefusals({ name }: Platform): PluginFile[] {
  const why = `dt: this package is for ${name}; this machine needs another one, or dt-${PRODUCT_VERSION}-universal.tgz and Node.js`;
  return [
    { name: 'wrong-platform', content: `#!/bin/sh\necho '${why}' >&2\nexit 1\n`, isProgram: true },
    {
      name: 'wrong-platform.cmd',
      content: `@echo off\r\necho ${why} 1>&2\r\nexit /b 1\r\n`,
      isProgram: true,
    },
  ];
}
