import type { ValueKind } from '../../workflows/complete-value.ts';
import type { ArgumentDescription, FlagDescription } from '../describe-commands.ts';

/** What an argument or a flag takes: one of these words, or what this machine has of a kind. */
export type ValueChoice = readonly string[] | ValueKind;

const ARGUMENTS: Readonly<Record<string, ValueKind>> = {
  chart: 'chart',
  file: 'wrap',
  new: 'wrap',
  old: 'wrap',
  place: 'registry-url',
  prefix: 'registry-url',
  reference: 'image',
  registry: 'registry',
  target: 'registry-url',
};

const PLATFORMS = ['linux/amd64', 'linux/arm64', 'linux/arm/v7', 'linux/ppc64le', 'linux/riscv64', 'linux/s390x'];

/** Flags of which the name of their value says too little. */
const FLAGS: Readonly<Record<string, ValueChoice>> = {
  'annotations-key': ['images', 'helm.sh/images', 'artifacthub.io/images'],
  chart: 'wrapped-chart',
  'log-level': ['debug', 'info', 'warn', 'error'],
  'map-file': 'yaml-file',
  platform: PLATFORMS,
  platforms: PLATFORMS,
  'pull-prefix': 'registry',
  'render-values': 'yaml-file',
  sign: 'file',
  values: 'chart-values',
};

const VALUE_NAMES: Readonly<Record<string, ValueKind>> = {
  DIR: 'folder',
  FILE: 'file',
  IMAGE: 'image',
  PATH: 'file',
  REPOSITORY: 'image',
};

/** What an argument takes; of a name that is not known here, any file. */
export function chooseArgument({ name, options }: ArgumentDescription): ValueChoice {
  return options.length > 0 ? options : (ARGUMENTS[name] ?? 'file');
}

/** What the value of a flag may be; for `--insecure=HOST` and its like a registry, for `--with-plugin=FILE` a file. */
export function chooseFlag({ name, options, valueName = '', perHostFlag, fileFlag }: FlagDescription): ValueChoice {
  if (perHostFlag !== undefined) return 'registry';
  if (fileFlag !== undefined) return 'file';
  return options.length > 0 ? options : (FLAGS[name] ?? VALUE_NAMES[valueName] ?? 'nothing');
}
