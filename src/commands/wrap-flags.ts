import * as Flags from '@oclif/core/flags';
import type { Interfaces } from '@oclif/core';
import { DtError } from '../domain/errors.ts';
import { parsePlatform, type Platform } from '../domain/oci/platform.ts';
import { CREDENTIAL_FLAGS } from './credential-flags.ts';
import { PLATFORMS_FLAG } from './platforms-flag.ts';

/** For every command that writes a wrap. */
export const WRAP_FLAGS = {
  platforms: PLATFORMS_FLAG,
  'no-referrers': Flags.boolean({ summary: 'leave signatures, attestations and other attached artifacts out' }),
  'fetch-artifacts': Flags.boolean({
    summary: 'take signatures and metadata along: always done, but for --no-referrers',
  }),
  'include-non-distributable-layers': Flags.boolean({
    summary: 'take layers along that images only point to, if their licence lets you',
  }),
  ...CREDENTIAL_FLAGS,
  compat: Flags.boolean({ summary: 'store copies of shared layers, for the Go dt' }),
  'skip-preflight': Flags.boolean({
    summary: 'do not look first whether the output can be written and has enough space',
  }),
  sign: Flags.string({
    summary: 'sign the file with this private key (of cosign, or PEM); its password is read from COSIGN_PASSWORD',
    helpValue: 'KEY',
  }),
};

/** Throws DT_USAGE, DT_BAD_PLATFORM. */
export function readWrapFlags(flags: Interfaces.InferredFlags<typeof WRAP_FLAGS>): {
  readonly platforms: readonly Platform[];
  readonly skipAttached: boolean;
  readonly includeNonDistributable: boolean;
  readonly isCompatible: boolean;
  readonly skipPreflight: boolean;
  readonly signKeyFile: string | undefined;
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
    signKeyFile: flags.sign,
  };
}
