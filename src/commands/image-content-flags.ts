import * as Flags from '@oclif/core/flags';
import type { Interfaces } from '@oclif/core';
import { DtError } from '../domain/errors.ts';
import { parsePlatform, type Platform } from '../domain/oci/platform.ts';
import { PLATFORMS_FLAG } from './platforms-flag.ts';

/** What of an image goes into a wrap. */
export const IMAGE_CONTENT_FLAGS = {
  platforms: PLATFORMS_FLAG,
  'no-referrers': Flags.boolean({ summary: 'leave signatures, attestations and other attached artifacts out' }),
  'fetch-artifacts': Flags.boolean({
    summary: 'take signatures and metadata along: always done, but for --no-referrers',
  }),
  'include-non-distributable-layers': Flags.boolean({
    summary: 'take layers along that images only point to, if their licence lets you',
  }),
};

/** Throws DT_USAGE, DT_BAD_PLATFORM. */
export function readImageContentFlags(flags: Interfaces.InferredFlags<typeof IMAGE_CONTENT_FLAGS>): {
  readonly platforms: readonly Platform[];
  readonly skipAttached: boolean;
  readonly includeNonDistributable: boolean;
} {
  if (flags['no-referrers'] && flags['fetch-artifacts']) {
    throw new DtError('DT_USAGE', '--no-referrers and --fetch-artifacts say the opposite of each other');
  }
  return {
    platforms: (flags.platforms ?? []).map(parsePlatform),
    skipAttached: flags['no-referrers'],
    includeNonDistributable: flags['include-non-distributable-layers'],
  };
}
