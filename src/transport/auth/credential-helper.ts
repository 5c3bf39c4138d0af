import { DtError } from '../../domain/errors.ts';
import type { Credential } from './credential-entry.ts';
import type { Environment } from './credential-files.ts';
import { findProgram } from '../../processes/find-program.ts';
import { runBounded, RunFailure } from '../../processes/run-bounded.ts';

/** A helper may have to ask a cloud, or a person, before it answers. */
export const DEFAULT_HELPER_TIMEOUT_MS = 30_000;
/** More than any token that goes into a header. */
const MAX_OUTPUT_BYTES = 64 * 1024;
const PROGRAM_PREFIX = 'docker-credential-';
const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;
/** The user name with which a helper marks an identity token. */
const IDENTITY_TOKEN_USER = '<token>';
/** What helpers print, beside an exit code that is not 0, for a server that they do not know. */
const NOT_FOUND_TEXT = 'credentials not found';

export interface HelperOptions {
  /** Where the helper is looked up (`PATH`), and what it gets as its own environment. */
  readonly environment: Environment;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

/** A helper, and the file that names it. */
export interface HelperName {
  readonly name: string;
  readonly file: string;
}

/** Path of `docker-credential-NAME` in an absolute folder of PATH, or undefined. Throws DT_CREDENTIAL_HELPER_FAILED for a bad name. */
export async function findHelperProgram(helper: HelperName, environment: Environment): Promise<string | undefined> {
  if (!NAME_PATTERN.test(helper.name)) throw helperError(helper, 'that is no name of a program');
  return findProgram([PROGRAM_PREFIX + helper.name], environment);
}

/** Asks a helper for a server. Undefined if it knows none, or says nothing. Throws DT_CREDENTIAL_HELPER_FAILED, DT_INTERRUPTED. */
export async function getFromHelper(
  helper: HelperName,
  server: string,
  options: HelperOptions,
): Promise<Credential | undefined> {
  const output = await runHelper(helper, 'get', server, options);
  if (output === undefined) return undefined;
  let answer: { readonly Username?: unknown; readonly Secret?: unknown } | null;
  try {
    answer = JSON.parse(output) as typeof answer;
  } catch {
    throw helperError(helper, 'it did not answer with JSON');
  }
  const { Username: username, Secret: secret } = answer ?? {};
  if (typeof username !== 'string' || typeof secret !== 'string') {
    throw helperError(helper, 'its answer has no user name and secret');
  }
  if (secret === '') return undefined;
  return username === IDENTITY_TOKEN_USER
    ? { kind: 'identity-token', token: secret }
    : { kind: 'basic', username, password: secret };
}

/** Hands a user and password over to a helper. Throws DT_CREDENTIAL_HELPER_FAILED, DT_INTERRUPTED. */
export async function storeInHelper(
  helper: HelperName,
  server: string,
  { username, password }: { readonly username: string; readonly password: string },
  options: HelperOptions,
): Promise<void> {
  await runHelper(
    helper,
    'store',
    JSON.stringify({ ServerURL: server, Username: username, Secret: password }),
    options,
  );
}

/** Makes a helper forget a server; one that it does not know is fine. Throws DT_CREDENTIAL_HELPER_FAILED, DT_INTERRUPTED. */
export async function eraseFromHelper(helper: HelperName, server: string, options: HelperOptions): Promise<void> {
  await runHelper(helper, 'erase', server, options);
}

/**
 * Runs a helper to its end and gives its standard output; undefined for "credentials not found". Its output goes into no
 * message: it may hold the secret. https://github.com/docker/docker-credential-helpers#development
 */
async function runHelper(
  helper: HelperName,
  action: 'get' | 'store' | 'erase',
  input: string,
  options: HelperOptions,
): Promise<string | undefined> {
  const { environment, signal, timeoutMs = DEFAULT_HELPER_TIMEOUT_MS } = options;
  const program = await findHelperProgram(helper, environment);
  if (program === undefined) throw helperError(helper, 'there is no such program on PATH');
  try {
    const { code, output, errorOutput } = await runBounded(program, [action], input, {
      environment,
      signal,
      timeoutMs,
      maxOutputBytes: MAX_OUTPUT_BYTES,
    });
    if (code === 0) return output;
    if (action !== 'store' && (output + errorOutput).includes(NOT_FOUND_TEXT)) return undefined;
    throw helperError(helper, `"${action}" ended with ${String(code)}`);
  } catch (error) {
    if (error instanceof RunFailure) throw helperError(helper, error.message);
    throw error;
  }
}

function helperError({ name, file }: HelperName, why: string): DtError {
  const program = PROGRAM_PREFIX + name.slice(0, 128);
  return new DtError('DT_CREDENTIAL_HELPER_FAILED', `the credential helper ${program} failed: ${why}`, {
    detail: `It is named in ${file}.`,
  });
}
