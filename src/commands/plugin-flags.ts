import * as Flags from '@oclif/core/flags';
import type { Interfaces } from '@oclif/core';
import type { PluginChoice } from '../workflows/unwrap-with-plugin.ts';

/** For a command that can push this plugin beside its own work. */
export const PLUGIN_FLAGS = {
  'with-plugin': Flags.boolean({
    summary:
      'push this plugin below the prefix too, so that Helm 4 installs it from there; --with-plugin=FILE for another package than the installed one',
  }),
  'plugin-file': Flags.string({ hidden: true, helpValue: 'FILE' }),
};

/** The boolean flags that also take a file, with the flag that the file goes to. */
export const FILE_FLAGS: Readonly<Record<string, string>> = { 'with-plugin': 'plugin-file' };

/** Which package is to be pushed, if any. */
export function readPluginFlags(flags: Interfaces.InferredFlags<typeof PLUGIN_FLAGS>): PluginChoice | undefined {
  const file = flags['plugin-file'];
  if (file !== undefined) return { file };
  return flags['with-plugin'] ? 'installed' : undefined;
}
