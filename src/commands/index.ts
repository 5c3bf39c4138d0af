import type { Command } from '@oclif/core';
import AuthCheckCommand from './auth/check.ts';
import AuthLoginCommand from './auth/login.ts';
import AuthLogoutCommand from './auth/logout.ts';
import BundleCopyCommand from './bundle/copy.ts';
import BundleDescribeCommand from './bundle/describe.ts';
import BundleFromWrapCommand from './bundle/from-wrap.ts';
import BundlePullCommand from './bundle/pull.ts';
import BundlePushCommand from './bundle/push.ts';
import BundleTagListCommand from './bundle/tag/list.ts';
import BundleTagResolveCommand from './bundle/tag/resolve.ts';
import ChartsAnnotateCommand from './charts/annotate.ts';
import ChartsCarvelizeCommand from './charts/carvelize.ts';
import ChartsRelocateCommand from './charts/relocate.ts';
import CompletionCommand from './completion.ts';
import DiffCommand from './diff.ts';
import ImagesFindCommand from './images/find.ts';
import ImagesLockCommand from './images/lock.ts';
import ImagesPullCommand from './images/pull.ts';
import ImagesPushCommand from './images/push.ts';
import ImagesUnwrapCommand from './images/unwrap.ts';
import ImagesVerifyCommand from './images/verify.ts';
import ImagesWrapCommand from './images/wrap.ts';
import InfoCommand from './info.ts';
import InventoryCommand from './inventory.ts';
import ManifestsLockCommand from './manifests/lock.ts';
import ManifestsResolveCommand from './manifests/resolve.ts';
import PluginPushCommand from './plugin/push.ts';
import PushWrapCommand from './push-wrap.ts';
import UnwrapCommand from './unwrap.ts';
import VerifyCommand from './verify.ts';
import VersionCommand from './version.ts';
import WrapCommand from './wrap.ts';

/** Every command by its words, with `:` between them as oclif has it. Classes are thin: workflows load in `execute`. */
export const COMMANDS: Readonly<Record<string, Command.Class>> = {
  'auth:check': AuthCheckCommand,
  'auth:login': AuthLoginCommand,
  'auth:logout': AuthLogoutCommand,
  'bundle:copy': BundleCopyCommand,
  'bundle:describe': BundleDescribeCommand,
  'bundle:from-wrap': BundleFromWrapCommand,
  'bundle:pull': BundlePullCommand,
  'bundle:push': BundlePushCommand,
  'bundle:tag:list': BundleTagListCommand,
  'bundle:tag:resolve': BundleTagResolveCommand,
  'charts:annotate': ChartsAnnotateCommand,
  'charts:carvelize': ChartsCarvelizeCommand,
  'charts:relocate': ChartsRelocateCommand,
  completion: CompletionCommand,
  diff: DiffCommand,
  'images:find': ImagesFindCommand,
  'images:lock': ImagesLockCommand,
  'images:pull': ImagesPullCommand,
  'images:push': ImagesPushCommand,
  'images:unwrap': ImagesUnwrapCommand,
  'images:verify': ImagesVerifyCommand,
  'images:wrap': ImagesWrapCommand,
  info: InfoCommand,
  inventory: InventoryCommand,
  'manifests:lock': ManifestsLockCommand,
  'manifests:resolve': ManifestsResolveCommand,
  'plugin:push': PluginPushCommand,
  'push-wrap': PushWrapCommand,
  unwrap: UnwrapCommand,
  verify: VerifyCommand,
  version: VersionCommand,
  wrap: WrapCommand,
};

/** Every group of commands with what its help says. */
export const GROUPS: Readonly<Record<string, string>> = {
  auth: 'Keep, remove and try credentials of registries',
  bundle: 'Push, pull, copy and describe Carvel bundles, as imgpkg does',
  'bundle:tag': 'List and resolve the tags of a repository',
  charts: 'Annotate, relocate and carry charts',
  images: 'Find, lock, verify, pull and push the images of a chart; wrap and unwrap single images',
  manifests: 'Lock the images of Kubernetes manifests, and resolve them',
  plugin: 'Put this plugin into a registry of your own',
};
