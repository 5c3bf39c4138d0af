import type { Interfaces } from '@oclif/core';
import type { Environment } from '../environment.ts';

/** What the process gives to every command. */
export interface ProgramContext {
  readonly environment: Environment;
  /** Aborts when the user interrupts. */
  readonly signal: AbortSignal;
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** oclif carries its load options to every command; ours ride along. */
export type ProgramLoadOptions = Interfaces.Options & { readonly programContext: ProgramContext };
