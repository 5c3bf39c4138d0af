import * as Flags from '@oclif/core/flags';
import { DtError } from '../domain/errors.ts';
import { hasOciScheme } from '../domain/oci/oci-scheme.ts';
import { STANDARD_STREAM } from '../domain/standard-stream.ts';
import type { WrapInput } from '../workflows/opening/open-input.ts';
import type { ProgramContext } from './program-context.ts';

/** What the argument says that names a wrap to be read. */
export const WRAP_INPUT_DESCRIPTION = 'wrap file, - for standard input, or oci://HOST/PATH/NAME of a pushed wrap';

/** For every command that reads a wrap wherever it is. */
export const WRAP_INPUT_FLAGS = {
  version: Flags.string({ summary: 'version, or semver range, of a wrap in a registry', helpValue: 'VERSION' }),
};

/** Where the wrap comes from. Standard input is opened only if it is asked for. Throws DT_USAGE for a version of anything else. */
export function readWrapInput(
  file: string,
  flags: { readonly version?: string | undefined },
  context: Pick<ProgramContext, 'stdin'>,
): WrapInput {
  if (flags.version !== undefined && !hasOciScheme(file)) {
    throw new DtError('DT_USAGE', '--version is for a wrap in a registry (oci://…)');
  }
  return { file, version: flags.version, stdin: file === STANDARD_STREAM ? context.stdin : undefined };
}
