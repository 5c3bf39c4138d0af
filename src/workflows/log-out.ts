import { eraseFromHelper, findHelperProgram } from '../transport/auth/credential-helper.ts';
import { parseCredentialScope } from '../domain/oci/credential-keys.ts';
import { createCredentialResolver } from '../transport/auth/credentials.ts';
import type { RunContext } from './context.ts';
import { findCredentialPlace, removeAuthEntry, type CredentialPlace } from './credential-place.ts';
import { describeOrigin } from '../domain/oci/credential-origin.ts';

export interface LogOutResult {
  readonly registry: string;
  /** Absent for the whole registry. */
  readonly path?: string;
  readonly file: string;
  /** False if the file had no entry for it. */
  readonly removed: boolean;
  /** The helper that was told to forget it. */
  readonly helper?: string;
}

/**
 * Removes what `logIn` has written for `HOST[/PATH]`; nothing to remove is fine, and what other files hold is warned about.
 * Throws DT_BAD_PREFIX, DT_CONFIG_INVALID, DT_CREDENTIAL_HELPER_FAILED and the errors of writing a file.
 */
export async function logOut(target: string, context: RunContext): Promise<LogOutResult> {
  const { environment, signal, reporter } = context;
  const scope = parseCredentialScope(target);
  const place = findCredentialPlace(scope, environment);
  const helper = await findUsableHelper(place, context);
  if (helper !== undefined) await eraseFromHelper(helper, place.key, { environment, signal });
  const removed = await removeAuthEntry(place);
  const left = await createCredentialResolver({ environment, signal })(scope.registry, scope.path);
  if (left !== undefined) {
    reporter.warn(`there are other credentials for ${scope.registry}: ${describeOrigin(left.origin)}`);
  }
  return {
    registry: scope.registry,
    ...(scope.path === '' ? {} : { path: scope.path }),
    file: place.file,
    removed,
    ...(helper === undefined ? {} : { helper: helper.name }),
  };
}

/** A helper that is not installed has nothing to forget. */
async function findUsableHelper(
  { helper }: CredentialPlace,
  { environment }: RunContext,
): Promise<CredentialPlace['helper']> {
  if (helper === undefined) return undefined;
  return (await findHelperProgram(helper, environment)) === undefined ? undefined : helper;
}
