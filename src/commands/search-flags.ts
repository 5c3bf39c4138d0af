import * as Flags from '@oclif/core/flags';
import type { Interfaces } from '@oclif/core';
import { DtError } from '../domain/errors.ts';
import type { ImageSearch } from '../workflows/locking/search-images.ts';
import { FEATURE_FLAGS, readRenderFlags } from './render-flags.ts';

/** For a command that looks for the images of a chart, and has nothing to do with the annotations alone. */
export const LIKELY_FLAGS = {
  ...FEATURE_FLAGS,
  'include-likely': Flags.boolean({
    summary: 'take what looks like an image in a variable, an argument or a text as well, if a registry has it',
  }),
};

/** For every command that locks the images of a chart. */
export const SEARCH_FLAGS = {
  ...LIKELY_FLAGS,
  'declared-only': Flags.boolean({ summary: 'keep to the annotations of the chart: Helm is not started' }),
};

/** Undefined with `--declared-only`. Throws DT_USAGE for flags that it contradicts. */
export function readSearchFlags(flags: Interfaces.InferredFlags<typeof SEARCH_FLAGS>): ImageSearch | undefined {
  if (!flags['declared-only']) return readLikelyFlags(flags);
  if (flags['include-likely']) {
    throw new DtError('DT_USAGE', '--declared-only and --include-likely say the opposite of each other');
  }
  return undefined;
}

export function readLikelyFlags(flags: Interfaces.InferredFlags<typeof LIKELY_FLAGS>): ImageSearch {
  return {
    ...readRenderFlags(flags),
    allVariants: flags['all-variants'],
    includesLikely: flags['include-likely'],
  };
}
