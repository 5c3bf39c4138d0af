import * as Flags from '@oclif/core/flags';
import type { Interfaces } from '@oclif/core';
import { DtError } from '../domain/errors.ts';
import { formatBytes } from '../domain/format-quantity.ts';
import { parseSize } from '../domain/parse-size.ts';
import { parsePlatform, type Platform } from '../domain/oci/platform.ts';
import { MIN_PART_BYTES } from '../domain/wrap/wrap-parts.ts';
import { CREDENTIAL_FLAGS } from './credential-flags.ts';
import { PLATFORMS_FLAG } from './platforms-flag.ts';

/** For every command that writes a wrap. */
export const WRAP_FLAGS = {
  platforms: PLATFORMS_FLAG,
  'no-referrers': Flags.boolean({ summary: 'leave signatures, attestations and other attached artifacts out' }),
  'fetch-artifacts': Flags.boolean({
    summary: 'take signatures and metadata along: always done, but for --no-referrers',
  }),
  'preserve-digest': Flags.boolean({ summary: 'keep the digest of every image: always done' }),
  'include-non-distributable-layers': Flags.boolean({
    summary: 'take layers along that images only point to, if their licence lets you',
  }),
  ...CREDENTIAL_FLAGS,
  compat: Flags.boolean({ summary: 'store copies of shared layers, for the Go dt' }),
  'skip-preflight': Flags.boolean({
    summary: 'do not look first whether the output can be written and has enough space',
  }),
  split: Flags.string({
    summary:
      'write parts of at most this size, for instance 4GB for a FAT32 medium: WRAP.001, WRAP.002, … and WRAP.sha256',
    helpValue: 'SIZE',
  }),
  sign: Flags.string({
    summary: 'sign the file with this private key (of cosign, or PEM); its password is read from COSIGN_PASSWORD',
    helpValue: 'KEY',
  }),
  base: Flags.string({
    summary: 'leave out what this wrap, Images.lock or inventory has: the file is a delta',
    description:
      'The target must have it when the delta is unwrapped: unwrap the base first, under the same names. An inventory is what ' +
      'the command "inventory" writes. Can be given several times.',
    helpValue: 'FILE',
    multiple: true,
    multipleNonGreedy: true,
    delimiter: ',',
  }),
};

/** Throws DT_USAGE, DT_BAD_PLATFORM. */
export function readWrapFlags(flags: Interfaces.InferredFlags<typeof WRAP_FLAGS>): {
  readonly platforms: readonly Platform[];
  readonly skipAttached: boolean;
  readonly includeNonDistributable: boolean;
  readonly isCompatible: boolean;
  readonly skipPreflight: boolean;
  readonly partBytes: number | undefined;
  readonly signKeyFile: string | undefined;
  readonly bases: readonly string[];
} {
  if (flags['no-referrers'] && flags['fetch-artifacts']) {
    throw new DtError('DT_USAGE', '--no-referrers and --fetch-artifacts say the opposite of each other');
  }
  return {
    platforms: (flags.platforms ?? []).map(parsePlatform),
    skipAttached: flags['no-referrers'],
    includeNonDistributable: flags['include-non-distributable-layers'],
    isCompatible: flags.compat,
    skipPreflight: flags['skip-preflight'],
    partBytes: flags.split === undefined ? undefined : readPartBytes(flags.split),
    signKeyFile: flags.sign,
    bases: flags.base ?? [],
  };
}

function readPartBytes(text: string): number {
  const partBytes = parseSize(text, '--split');
  if (partBytes >= MIN_PART_BYTES) return partBytes;
  throw new DtError('DT_USAGE', `--split=${text} is too small: a part has at least ${formatBytes(MIN_PART_BYTES)}`);
}
