import { resolve } from 'node:path';
import { DtError } from '../domain/errors.ts';
import { findProgram } from '../processes/find-program.ts';
import { runBounded, RunFailure } from '../processes/run-bounded.ts';

/** A Helm that can be run. */
export interface HelmProgram {
  /** Absolute. */
  readonly path: string;
  /** As Helm prints it: `v3.19.0`. */
  readonly version: string;
}

export interface FindHelmOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
}

/** What messages say where there is none. */
export const NO_HELM = 'there is no Helm ($HELM_BIN, or helm on PATH)';

const VERSION_TIMEOUT_MS = 20_000;
const MAX_VERSION_BYTES = 64 * 1024;
const VERSION_PATTERN = /v\d+\.\d+(?:\.\d+)?[\w.+-]*/;
const PROGRAM_NAMES = process.platform === 'win32' ? ['helm.exe'] : ['helm'];

/**
 * The user's Helm: `$HELM_BIN`, which Helm sets for its plugins, else `helm` in an absolute folder of PATH; undefined if
 * there is none. Throws DT_HELM_UNUSABLE if that program is not Helm 3 or later or does not answer, DT_INTERRUPTED.
 */
export async function findHelm(options: FindHelmOptions): Promise<HelmProgram | undefined> {
  const path = await findHelmProgram(options.environment);
  if (path === undefined) return undefined;
  return { path, version: await readVersion(path, options) };
}

/** Helm started by its bare name sets `HELM_BIN=helm`. */
async function findHelmProgram(environment: FindHelmOptions['environment']): Promise<string | undefined> {
  const given = environment['HELM_BIN'] ?? '';
  if (/[/\\]/.test(given)) return resolve(given);
  return findProgram(given === '' ? PROGRAM_NAMES : [given], environment);
}

async function readVersion(path: string, { environment, signal }: FindHelmOptions): Promise<string> {
  const unusable = (why: string): DtError =>
    new DtError('DT_HELM_UNUSABLE', `the Helm at ${path} cannot be used: ${why}`, {
      hints: ['set HELM_BIN to a Helm 3 or 4, or unset it'],
    });
  try {
    const { code, output } = await runBounded(path, ['version', '--short'], '', {
      environment: { PATH: environment['PATH'], SystemRoot: environment['SystemRoot'] },
      signal,
      timeoutMs: VERSION_TIMEOUT_MS,
      maxOutputBytes: MAX_VERSION_BYTES,
    });
    const version = VERSION_PATTERN.exec(output)?.[0];
    if (code !== 0 || version === undefined) throw unusable('it does not say its version');
    if (/^v[0-2]\./.test(version)) throw unusable(`it is ${version}`);
    return version;
  } catch (error) {
    if (error instanceof RunFailure) throw unusable(error.message);
    throw error;
  }
}
