import { copyError } from '../domain/error-rules.ts';
import { trimOciScheme } from '../domain/oci/oci-scheme.ts';
import { DtError, isDtError } from '../domain/errors.ts';
import { describeOrigin, type CredentialOrigin } from '../domain/oci/credential-origin.ts';
import { formatReference, parseReference, type Reference } from '../domain/oci/reference.ts';
import { probeUpload } from '../transport/probe-upload.ts';
import type { RunContext } from './context.ts';
import { openRepository } from './registry-stores.ts';

/** `localhost`, a name with dots or an address, with or without a port. */
const HOST_ALONE = /^(?:localhost|(?=[^/:]*\.)[a-z0-9][^/@:[\]]*|\[[^/@\]]*\])(?::\d+)?\/*$/i;

export interface CheckAccessOptions {
  /** An image or chart; without tag and digest, a repository. `oci://` in front is fine. */
  readonly reference: string;
  readonly action: 'pull' | 'push';
}

export interface CheckAccessResult {
  readonly reference: string;
  readonly action: 'pull' | 'push';
  readonly credentials: CredentialOrigin | { readonly kind: 'anonymous' };
  /** False if the registry let the request in without asking for credentials: it has seen none. */
  readonly checked: boolean;
}

/**
 * Finds the credentials for a repository and tries them: `pull` asks for the manifest (the list of tags without tag and digest), `push`
 * opens an upload and cancels it. Throws DT_USAGE for a host alone, DT_BAD_REFERENCE, DT_CREDENTIAL_HELPER_FAILED, DT_CONFIG_INVALID,
 * and the authentication and registry errors with the place of the credentials in their detail.
 */
export async function checkAccess(options: CheckAccessOptions, context: RunContext): Promise<CheckAccessResult> {
  const { clients, reporter, signal } = context;
  const { action } = options;
  const reference = parseRepository(trimOciScheme(options.reference));
  const origin = (await clients.findCredential(reference.registry, reference.repository))?.origin;
  const client = clients.forRegistry(reference.registry);
  try {
    await reporter.step(`Asking ${reference.registry}`, async () =>
      action === 'push' ? probeUpload(client, reference.repository, signal) : probePull(reference, context),
    );
  } catch (error) {
    throw isDtError(error) ? addOrigin(error, { reference, action, origin }) : error;
  }
  return {
    reference: formatReference(reference),
    action,
    credentials: origin ?? { kind: 'anonymous' },
    checked: client.hasAskedForCredentials,
  };
}

interface FailedCheck {
  readonly reference: Reference;
  readonly action: 'pull' | 'push';
  readonly origin: CredentialOrigin | undefined;
}

/** Puts into the detail which credentials there are; what the registry said stays. */
function addOrigin(error: DtError, { reference, action, origin }: FailedCheck): DtError {
  const used =
    origin === undefined
      ? `No credentials were found for ${reference.registry}.`
      : `The credentials are from ${describeOrigin(origin)}.`;
  // Of a 401 the detail says no more than this.
  const facts = error.code === 'DT_AUTH_REQUIRED' || error.detail === undefined ? [] : [error.detail];
  const isThere = action === 'push' || error.code !== 'DT_NOT_FOUND';
  const missing = reference.digest ?? reference.tag;
  const outcome = `The access works, but there is no such ${missing === undefined ? 'repository' : 'tag or repository'}.`;
  return copyError(error, { detail: [...(isThere ? [] : [outcome]), ...facts, used].join(' ') });
}

/** Without a slash a name is that of an image of Docker Hub, which is not meant where it looks like a host. */
function parseRepository(text: string): Reference {
  if (!HOST_ALONE.test(text)) return parseReference(text);
  throw new DtError('DT_USAGE', `"${text.slice(0, 300)}" is a registry: name a repository, for instance HOST/PATH`);
}

async function probePull(reference: Reference, context: RunContext): Promise<void> {
  const store = openRepository(context, reference);
  const identifier = reference.digest ?? reference.tag;
  if (identifier !== undefined) await store.resolve(identifier, context.signal);
  else {
    await context.clients.forRegistry(reference.registry).send({
      method: 'GET',
      path: 'tags/list?n=1',
      repository: reference.repository,
      action: 'pull',
      expect: [200],
      what: 'list of tags',
      signal: context.signal,
    });
  }
}
