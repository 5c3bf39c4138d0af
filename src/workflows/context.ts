import type { RegistryClients } from '../transport/registry-clients.ts';
import type { Prompter, Reporter } from './ports.ts';

/** What every workflow needs beside its own options. */
export interface RunContext {
  readonly clients: RegistryClients;
  readonly reporter: Reporter;
  readonly prompter: Prompter;
  readonly signal: AbortSignal;
  /** Environment variables: credential files, Helm's folders, `SOURCE_DATE_EPOCH`. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Requests, and blobs, on their way at the same time. */
  readonly concurrency: number;
}
