import type { Command } from '@oclif/core';
import type { CommandSpec, FlagSpec } from './command-spec.ts';
import { GLOBAL_FLAGS } from './global-flags.ts';
import { COMMANDS } from './index.ts';
import { allFlags, type AnyFlag, toFlagSpec } from './oclif-config.ts';

/** A flag, for those who complete it or write about it. */
export interface FlagDescription extends FlagSpec {
  readonly summary: string;
  readonly description?: string;
  readonly isHidden: boolean;
  /** True for a flag that every command has. */
  readonly isGlobal: boolean;
  /** True if it may be repeated. */
  readonly isList: boolean;
  /** What stands between several values in one word. */
  readonly delimiter?: string;
  /** What the help calls its value: `FILE`. */
  readonly valueName?: string;
  /** The only values that it takes; empty if it takes others. */
  readonly options: readonly string[];
}

export interface ArgumentDescription {
  readonly name: string;
  readonly isRequired: boolean;
  readonly isList: boolean;
  readonly description: string;
  /** The only values that it takes; empty if it takes others. */
  readonly options: readonly string[];
}

/** A command, for those who complete it or write about it. */
export interface CommandDescription extends CommandSpec {
  readonly summary: string;
  readonly description?: string;
  readonly flags: readonly FlagDescription[];
  /** In the order in which they are given. */
  readonly args: readonly ArgumentDescription[];
  readonly examples: readonly string[];
}

/** Every command that is not hidden, as its class states it. The program is called `dt` in all texts. */
export function describeCommands(): CommandDescription[] {
  return Object.entries(COMMANDS)
    .filter(([, command]) => !command.hidden)
    .map(([oclifId, command]) => describeCommand(oclifId.replaceAll(':', ' '), command));
}

/** The flags that every command has. */
export function describeGlobalFlags(): FlagDescription[] {
  return Object.entries(GLOBAL_FLAGS).map(([name, flag]) => describeFlag(name, flag as AnyFlag));
}

function describeCommand(id: string, command: Command.Class): CommandDescription {
  const fill = (text: string): string => text.replaceAll('<%= config.bin %>', 'dt').replaceAll('<%= command.id %>', id);
  return {
    id,
    summary: fill(command.summary ?? ''),
    ...(command.description === undefined ? {} : { description: fill(command.description) }),
    flags: Object.entries(allFlags(command)).map(([name, flag]) => describeFlag(name, flag)),
    args: Object.entries(command.args).map(([name, arg]) => ({
      name,
      isRequired: arg.required === true,
      isList: arg.multiple === true,
      description: fill(arg.description ?? ''),
      options: arg.options ?? [],
    })),
    examples: command.examples.map((example) => fill(typeof example === 'string' ? example : example.command)),
  };
}

function describeFlag(name: string, flag: AnyFlag): FlagDescription {
  const common = {
    ...toFlagSpec(name, flag),
    summary: flag.summary ?? '',
    ...(flag.description === undefined ? {} : { description: flag.description }),
    isHidden: flag.hidden === true,
    isGlobal: Object.hasOwn(GLOBAL_FLAGS, name),
  };
  if (flag.type === 'boolean') return { ...common, isList: false, options: [] };
  return {
    ...common,
    isList: flag.multiple === true,
    ...(flag.delimiter === undefined ? {} : { delimiter: flag.delimiter }),
    ...(typeof flag.helpValue === 'string' ? { valueName: flag.helpValue } : {}),
    options: flag.options ?? [],
  };
}
