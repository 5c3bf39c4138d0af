import { copyError } from '../domain/error-rules.ts';
import { errorMessage, isDtError } from '../domain/errors.ts';
import { formatAuthEntry } from '../transport/auth/credential-entry.ts';
import { storeInHelper } from '../transport/auth/credential-helper.ts';
import { formatScope, parseCredentialScope, type CredentialScope } from '../domain/oci/credential-keys.ts';
import { createCredentialResolver, type GivenCredential } from '../transport/auth/credentials.ts';
import type { RunContext } from './context.ts';
import { findCredentialPlace, writeAuthEntry, type CredentialPlace } from './credential-place.ts';
import { describeOrigin } from '../domain/oci/credential-origin.ts';

export interface LogInResult {
  readonly registry: string;
  /** The path that the credentials are for; absent for the whole registry. */
  readonly path?: string;
  readonly username: string;
  readonly file: string;
  /** The key in the file. */
  readonly entry: string;
  /** The helper that keeps the password instead of the file. */
  readonly helper?: string;
  /** False if the registry lets everybody in, so that it has said nothing about the password. */
  readonly checked: boolean;
}

/**
 * Tries a user and password on a registry and keeps them: in the helper that the file names for it, else in the file. `target` is
 * `HOST[/PATH]`; the context must have been made with the same credential. Throws DT_BAD_PREFIX, DT_AUTH_REQUIRED and
 * DT_AUTH_DENIED when they are refused, the registry errors, DT_CONFIG_INVALID, DT_CREDENTIAL_HELPER_FAILED and the errors of
 * writing a file; nothing is written in any of these cases.
 */
export async function logIn(target: string, credential: GivenCredential, context: RunContext): Promise<LogInResult> {
  const { reporter, signal, environment } = context;
  const scope = parseCredentialScope(target);
  const place = findCredentialPlace(scope, environment);
  const client = context.clients.forRegistry(scope.registry);
  await reporter.step(`Logging in to ${formatScope(scope)} as ${credential.username}`, async () => {
    try {
      await client.checkLogin(signal);
    } catch (error) {
      throw wordRefusal(error, credential);
    }
  });
  const checked = client.hasAskedForCredentials;
  if (!checked) reporter.warn(`${scope.registry} lets everybody in: it did not check the password`);
  if (place.helper === undefined) {
    await writeAuthEntry(place, formatAuthEntry(credential));
    reporter.warn(`the password is stored unencrypted in ${place.file}; a credential helper would keep it safe`);
  } else {
    await storeInHelper(place.helper, place.key, credential, { environment, signal });
    // Docker marks in this way what its helper knows.
    await writeAuthEntry(place, {});
  }
  await warnIfHidden(scope, place, context);
  return {
    registry: scope.registry,
    ...(scope.path === '' ? {} : { path: scope.path }),
    username: credential.username,
    file: place.file,
    entry: place.key,
    ...(place.helper === undefined ? {} : { helper: place.helper.name }),
    checked,
  };
}

/** That one has to log in is no news here. */
function wordRefusal(error: unknown, { registry, username }: GivenCredential): unknown {
  if (!isDtError(error, 'DT_AUTH_REQUIRED', 'DT_AUTH_DENIED')) return error;
  const message = `${registry} refused the user ${username} with this password`;
  return copyError(error, { message, detail: `${error.message}. Nothing was stored.`, hints: [] });
}

/** Another file may come first; then the login would seem to have no effect. */
async function warnIfHidden(scope: CredentialScope, place: CredentialPlace, context: RunContext): Promise<void> {
  const { environment, signal, reporter } = context;
  try {
    const found = await createCredentialResolver({ environment, signal })(scope.registry, scope.path);
    if (found?.origin.kind === 'file' && found.origin.file === place.file) return;
    const origin = found === undefined ? 'nothing' : describeOrigin(found.origin);
    reporter.warn(`${origin} comes before the new login: remove that entry to use the new one`);
  } catch (error) {
    reporter.warn(`the new login cannot be looked up: ${errorMessage(error)}`);
  }
}
