import type { Command } from '@oclif/core';
import ImagesLockCommand from './images/lock.ts';
import InfoCommand from './info.ts';
import UnwrapCommand from './unwrap.ts';
import VersionCommand from './version.ts';
import WrapCommand from './wrap.ts';

/** Every command by its words, with `:` between them as oclif has it. Classes are thin: workflows load in `execute`. */
export const COMMANDS: Readonly<Record<string, Command.Class>> = {
  'images:lock': ImagesLockCommand,
  info: InfoCommand,
  unwrap: UnwrapCommand,
  version: VersionCommand,
  wrap: WrapCommand,
};

/** Every group of commands with what its help says. */
export const GROUPS: Readonly<Record<string, string>> = { images: 'Lock the images of a chart' };
