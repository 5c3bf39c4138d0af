import * as Args from '@oclif/core/args';
import * as Flags from '@oclif/core/flags';
import type { Interfaces } from '@oclif/core';
import { splitArtifactTarget } from '../domain/relocation/artifact-place.ts';
import type { ContextOptions } from '../workflows/create-context.ts';
import {
  CREDENTIAL_FLAGS,
  prefixCredentialRegistry,
  readCredentialFlags,
  type CredentialInput,
} from './credential-flags.ts';

/** Where a command puts a file as an artifact of a registry. */
export const ARTIFACT_TARGET = Args.string({ required: true, description: 'oci://HOST[/PATH][:TAG]' });

/** For every command that puts a file into a registry as an artifact. */
export const ARTIFACT_FLAGS = {
  ...CREDENTIAL_FLAGS,
  'no-overwrite': Flags.boolean({ summary: 'fail if the tag has another digest' }),
  'skip-preflight': Flags.boolean({ summary: 'do not try first whether the registry lets us push' }),
};

type ArtifactFlags = Interfaces.InferredFlags<typeof ARTIFACT_FLAGS>;

/** What the flags say of the push itself. */
export function readArtifactFlags(flags: ArtifactFlags): {
  readonly noOverwrite: boolean;
  readonly skipPreflight: boolean;
} {
  return { noOverwrite: flags['no-overwrite'], skipPreflight: flags['skip-preflight'] };
}

/** Credentials of the flags for the registry that the artifact goes to. */
export async function readArtifactCredential(
  target: string,
  flags: ArtifactFlags,
  input: CredentialInput,
): Promise<ContextOptions['credential']> {
  return readCredentialFlags(flags, () => prefixCredentialRegistry(splitArtifactTarget(target).prefix), input);
}
