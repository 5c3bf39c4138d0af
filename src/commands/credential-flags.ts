import * as Flags from '@oclif/core/flags';
import { DtError } from '../domain/errors.ts';
import { hasOciScheme, trimOciScheme } from '../domain/oci/oci-scheme.ts';
import { parseReference } from '../domain/oci/reference.ts';
import { parseRelocationPrefix } from '../domain/relocation/relocation-prefix.ts';

/** More than any password; what comes on standard input has no other end. */
const MAX_PASSWORD_BYTES = 64 * 1024;

/** For commands that take credentials for one registry. */
export const CREDENTIAL_FLAGS = {
  username: Flags.string({ char: 'u', summary: 'user name at the registry', helpValue: 'NAME' }),
  password: Flags.string({
    char: 'p',
    summary: 'password; every user of this machine can read it while the command runs',
    helpValue: 'TEXT',
  }),
  'password-stdin': Flags.boolean({ summary: 'read the password from standard input' }),
};

/** The values of `CREDENTIAL_FLAGS`. */
export interface CredentialFlags {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly 'password-stdin': boolean;
}

export interface CredentialInput {
  readonly stdin: AsyncIterable<Buffer | string>;
  readonly warn: (message: string) => void;
}

/**
 * User and password as the flags give them, for the one registry that `findRegistry` names; undefined without any of the
 * flags. Throws DT_USAGE for a user without a password or the reverse, and what `findRegistry` throws.
 */
export async function readCredentialFlags(
  flags: CredentialFlags,
  findRegistry: () => string,
  input: CredentialInput,
): Promise<{ readonly registry: string; readonly username: string; readonly password: string } | undefined> {
  const { username } = flags;
  const hasPassword = flags.password !== undefined || flags['password-stdin'];
  if (username === undefined && !hasPassword) return undefined;
  if (username === undefined) throw new DtError('DT_USAGE', 'a password needs a user name: --username');
  if (!hasPassword) throw new DtError('DT_USAGE', 'a user name needs a password: --password-stdin');
  const registry = findRegistry();
  return { registry, ...requireUsable({ username, password: (await readPassword(flags, input)) ?? '' }) };
}

/** The password of `--password` or `--password-stdin`, or undefined. Throws DT_USAGE. */
export async function readPassword(flags: CredentialFlags, input: CredentialInput): Promise<string | undefined> {
  if (flags.password !== undefined && flags['password-stdin']) {
    throw new DtError('DT_USAGE', '--password and --password-stdin cannot be used together');
  }
  if (flags['password-stdin']) return readAll(input.stdin);
  if (flags.password !== undefined) {
    input.warn('--password shows the password to every user of this machine: use --password-stdin');
  }
  return flags.password;
}

/** Throws DT_USAGE for what basic authentication cannot express. */
export function requireUsable(credential: { readonly username: string; readonly password: string }): {
  readonly username: string;
  readonly password: string;
} {
  if (credential.username === '') throw new DtError('DT_USAGE', 'the user name is empty');
  if (credential.username.includes(':')) throw new DtError('DT_USAGE', 'a user name has no colon');
  if (credential.password === '') throw new DtError('DT_USAGE', 'the password is empty');
  return credential;
}

/**
 * The one registry that credentials for a chart may go to: the one that the user has typed. A chart from elsewhere names its
 * registries itself and would get them all, so credentials are refused for it. Throws DT_USAGE, DT_BAD_REFERENCE.
 */
export function chartCredentialRegistry(location: string, repositoryUrl?: string): string {
  if (hasOciScheme(location)) return parseReference(trimOciScheme(location)).registry;
  if (repositoryUrl !== undefined && URL.canParse(repositoryUrl)) return new URL(repositoryUrl).host;
  throw new DtError('DT_USAGE', '--username and --password are for a chart from oci://… or --repo URL', {
    detail: 'Any other chart names the registries of its images itself, and they would all be sent the password.',
    hints: ['{bin} auth login HOST'],
  });
}

/** The one registry that several things come from. Throws DT_USAGE if there is more than one: none may see the password of another. */
export function commonRegistry(registries: readonly string[]): string {
  const [first, ...others] = new Set(registries);
  if (first !== undefined && others.length === 0) return first;
  throw new DtError('DT_USAGE', '--username and --password are for one registry', {
    detail: `There are ${String(others.length + 1)}: ${[first, ...others].join(', ')}.`,
    hints: ['{bin} auth login HOST'],
  });
}

/** The registry that an image reference names. Throws DT_BAD_REFERENCE. */
export function referenceCredentialRegistry(reference: string): string {
  return parseReference(trimOciScheme(reference)).registry;
}

/** The registry that a target prefix names. Throws DT_BAD_PREFIX. */
export function prefixCredentialRegistry(prefix: string): string {
  return parseRelocationPrefix(prefix).registry;
}

/** The text of standard input without its line end. */
async function readAll(stdin: AsyncIterable<Buffer | string>): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of stdin) {
    const bytes = Buffer.from(chunk);
    sizeBytes += bytes.length;
    if (sizeBytes > MAX_PASSWORD_BYTES) throw new DtError('DT_USAGE', 'standard input is too long for a password');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}
