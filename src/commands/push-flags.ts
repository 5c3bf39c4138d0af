import * as Flags from '@oclif/core/flags';
import type { Interfaces } from '@oclif/core';
import { DtError } from '../domain/errors.ts';
import type { IndexMode } from '../workflows/unwrapping/plan-image-pushes.ts';
import { STANDARD_STREAM } from '../domain/standard-stream.ts';
import { CREDENTIAL_FLAGS } from './credential-flags.ts';

const INDEX_MODES: readonly IndexMode[] = ['auto', 'sparse', 'filtered', 'full'];

/** For every command that pushes the images of a wrap. */
export const PUSH_FLAGS = {
  yes: Flags.boolean({ summary: 'push without asking' }),
  ...CREDENTIAL_FLAGS,
  index: Flags.option({ options: INDEX_MODES })({
    summary: 'what to push for an image of which the wrap has some platforms only',
    description:
      'sparse: its own index, although the other platforms are missing; filtered: an index of what there is, with another digest; ' +
      'auto: sparse where the registry takes it, else filtered; full: refuse such an image.',
    default: 'auto',
  }),
  'no-referrers': Flags.boolean({ summary: 'do not push signatures, attestations and other attached artifacts' }),
  'no-overwrite': Flags.boolean({
    summary: 'fail, before anything is pushed, if a tag has another digest in the target',
  }),
  'skip-preflight': Flags.boolean({ summary: 'do not try first whether the registry lets us push' }),
};

/** Throws DT_USAGE. */
export function readPushFlags(flags: Interfaces.InferredFlags<typeof PUSH_FLAGS>): {
  readonly assumeYes: boolean;
  readonly indexMode: IndexMode;
  readonly skipAttached: boolean;
  readonly noOverwrite: boolean;
  readonly skipPreflight: boolean;
} {
  return {
    assumeYes: flags.yes,
    indexMode: flags.index,
    skipAttached: flags['no-referrers'],
    noOverwrite: flags['no-overwrite'],
    skipPreflight: flags['skip-preflight'],
  };
}

/** Throws DT_USAGE if two of the wrap, the password and the answers would be read from standard input. */
export function requireAnswers(
  flags: { readonly yes: boolean; readonly 'password-stdin': boolean },
  file: string,
): void {
  if (file === STANDARD_STREAM && flags['password-stdin']) {
    throw new DtError('DT_USAGE', '--password-stdin cannot be used for a wrap that comes from standard input', {
      hints: ['{bin} auth login HOST'],
    });
  }
  if (file === STANDARD_STREAM && !flags.yes) {
    throw new DtError(
      'DT_USAGE',
      'a wrap from standard input needs --yes: standard input cannot answer questions as well',
    );
  }
  if (flags['password-stdin'] && !flags.yes) {
    throw new DtError('DT_USAGE', '--password-stdin needs --yes: standard input cannot answer questions as well');
  }
}
