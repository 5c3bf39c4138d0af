import type { Command, Interfaces } from '@oclif/core';
import { Config } from '@oclif/core/config';
import { PLUGIN_NAME, PRODUCT_DESCRIPTION, PRODUCT_NAME, PRODUCT_VERSION } from '../domain/product.ts';
import type { CommandSpec, FlagSpec } from './command-spec.ts';
import { GLOBAL_FLAGS, PER_HOST_FLAGS } from './global-flags.ts';
import { COMMANDS, GROUPS } from './index.ts';
import { FILE_FLAGS } from './plugin-flags.ts';
import type { ProgramContext, ProgramLoadOptions } from './program-context.ts';

/** A flag of any type, as a command class states it. */
export type AnyFlag = Command.Flag.Any;

/**
 * oclif's configuration, made in memory from the table of commands: no file is read, so the program runs from one
 * bundle. oclif's own way would read `package.json` and a manifest beside the program.
 */
export async function loadOclifConfig(programContext: ProgramContext): Promise<Config> {
  const pjson = createPackageJson(programContext.environment.bin);
  const root = import.meta.dirname;
  const plugin = createPlugin(root, pjson);
  const options: ProgramLoadOptions = { root, pjson, plugins: new Map([[plugin.name, plugin]]), programContext };
  return Config.load(options);
}

/** What `normalizeArgv` must know of all commands. */
export function listCommandSpecs(): CommandSpec[] {
  return Object.entries(COMMANDS).map(([id, command]) => ({
    id: id.replaceAll(':', ' '),
    flags: toFlagSpecs(allFlags(command)),
  }));
}

/** What `normalizeArgv` must know of the global flags. */
export function listGlobalFlagSpecs(): FlagSpec[] {
  return toFlagSpecs(GLOBAL_FLAGS);
}

function createPackageJson(bin: string): Interfaces.PJSON {
  return {
    name: PLUGIN_NAME,
    version: PRODUCT_VERSION,
    description: `${PRODUCT_NAME}: ${PRODUCT_DESCRIPTION}`,
    oclif: {
      bin,
      // Names of variables come from here: `helm dt` would give names that no shell can set.
      binAliases: [PLUGIN_NAME],
      dirname: PLUGIN_NAME,
      topicSeparator: ' ',
      additionalHelpFlags: ['-h'],
    },
  };
}

function createPlugin(root: string, pjson: Interfaces.PJSON): Interfaces.Plugin {
  const commands = Object.entries(COMMANDS).map(([id, command]) => toLoadable(id, command));
  return {
    _base: '',
    alias: PLUGIN_NAME,
    commandIDs: Object.keys(COMMANDS),
    commands,
    commandsDir: undefined,
    findCommand: ((id: string) => {
      const command = COMMANDS[id];
      return command === undefined ? undefined : Promise.resolve(command);
    }) as Interfaces.Plugin['findCommand'],
    hasManifest: false,
    hooks: {},
    isRoot: true,
    load: () => Promise.resolve(),
    moduleType: 'module',
    name: PLUGIN_NAME,
    options: { root, isRoot: true },
    pjson,
    root,
    topics: Object.entries(GROUPS).map(([name, description]) => ({ name, description })),
    type: 'core',
    valid: true,
    version: PRODUCT_VERSION,
  };
}

function toLoadable(id: string, command: Command.Class): Command.Loadable {
  command.id = id;
  const flags = Object.entries(allFlags(command)).map(([name, flag]) => [name, { ...flag, name }] as const);
  const args = Object.entries(command.args).map(([name, arg]) => [name, { ...arg, name }] as const);
  return {
    id,
    aliases: command.aliases,
    args: Object.fromEntries(args),
    description: command.description,
    examples: command.examples,
    flags: Object.fromEntries(flags),
    hidden: command.hidden,
    hiddenAliases: command.hiddenAliases,
    load: () => Promise.resolve(command),
    pluginName: PLUGIN_NAME,
    strict: command.strict,
    summary: command.summary,
    usage: command.usage ?? describeUsage(command),
  };
}

/** The line under USAGE: oclif's own would list every global flag in it. */
function describeUsage(command: Command.Class): string {
  const args = Object.entries(command.args).map(([name, arg]) => {
    const word = name.toUpperCase();
    return arg.required === true ? word : `[${word}]`;
  });
  return ['<%= command.id %>', ...args, '[FLAGS]'].join(' ');
}

/** The flags of a command, the global ones included. */
export function allFlags(command: Command.Class): Record<string, AnyFlag> {
  return { ...command.baseFlags, ...(command.flags as Record<string, AnyFlag> | undefined) };
}

function toFlagSpecs(flags: Readonly<Record<string, AnyFlag>>): FlagSpec[] {
  return Object.entries(flags).map(([name, flag]) => toFlagSpec(name, flag));
}

/** What `normalizeArgv` must know of one flag. */
export function toFlagSpec(name: string, flag: AnyFlag): FlagSpec {
  const [perHostFlag, fileFlag] = [PER_HOST_FLAGS[name], FILE_FLAGS[name]];
  return {
    name,
    isBoolean: flag.type === 'boolean',
    ...(flag.char === undefined ? {} : { char: flag.char }),
    ...(flag.type === 'boolean' && flag.allowNo ? { hasNegation: true } : {}),
    ...(perHostFlag === undefined ? {} : { perHostFlag }),
    ...(fileFlag === undefined ? {} : { fileFlag }),
  };
}
