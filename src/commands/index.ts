import type { Command } from '@oclif/core';
import AuthCheckCommand from './auth/check.ts';
import AuthLoginCommand from './auth/login.ts';
import AuthLogoutCommand from './auth/logout.ts';
import ChartsAnnotateCommand from './charts/annotate.ts';
import ChartsRelocateCommand from './charts/relocate.ts';
import ImagesFindCommand from './images/find.ts';
import ImagesLockCommand from './images/lock.ts';
import ImagesUnwrapCommand from './images/unwrap.ts';
import ImagesWrapCommand from './images/wrap.ts';
import InfoCommand from './info.ts';
import UnwrapCommand from './unwrap.ts';
import VerifyCommand from './verify.ts';
import VersionCommand from './version.ts';
import WrapCommand from './wrap.ts';

/** Every command by its words, with `:` between them as oclif has it. Classes are thin: workflows load in `execute`. */
export const COMMANDS: Readonly<Record<string, Command.Class>> = {
  'auth:check': AuthCheckCommand,
  'auth:login': AuthLoginCommand,
  'auth:logout': AuthLogoutCommand,
  'charts:annotate': ChartsAnnotateCommand,
  'charts:relocate': ChartsRelocateCommand,
  'images:find': ImagesFindCommand,
  'images:lock': ImagesLockCommand,
  'images:unwrap': ImagesUnwrapCommand,
  'images:wrap': ImagesWrapCommand,
  info: InfoCommand,
  unwrap: UnwrapCommand,
  verify: VerifyCommand,
  version: VersionCommand,
  wrap: WrapCommand,
};

/** Every group of commands with what its help says. */
export const GROUPS: Readonly<Record<string, string>> = {
  auth: 'Keep, remove and try credentials of registries',
  charts: 'Annotate, relocate and carry charts',
  images: 'Find and lock the images of a chart; wrap and unwrap single images',
};
