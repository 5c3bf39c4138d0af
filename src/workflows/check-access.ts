import { copyError, isDtError } from '../domain/errors.ts';
import { formatReference, parseReference, type Reference } from '../domain/oci/reference.ts';
import type { CredentialOrigin } from '../transport/auth/credentials.ts';
import { probeUpload } from '../transport/probe-upload.ts';
import type { RunContext } from './context.ts';
import { describeOrigin } from './describe-origin.ts';
import { openRepository } from './registry-stores.ts';

const OCI_SCHEME = 'oci://';

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
  readonly asked: boolean;
}

/**
 * Finds the credentials for a repository and tries them: `pull` asks for the manifest (the list of tags without tag and digest), `push`
 * opens an upload and cancels it. Throws DT_BAD_REFERENCE, DT_AUTH_REQUIRED and DT_AUTH_DENIED with the place of the credentials
 * as their detail, DT_CREDENTIAL_HELPER_FAILED, DT_CONFIG_INVALID and the registry errors.
 */
export async function checkAccess(options: CheckAccessOptions, context: RunContext): Promise<CheckAccessResult> {
  const { clients, reporter, signal } = context;
  const { action } = options;
  const reference = parseReference(trimScheme(options.reference));
  const origin = (await clients.findCredential(reference.registry, reference.repository))?.origin;
  const client = clients.forRegistry(reference.registry);
  try {
    await reporter.step(`Asking ${reference.registry}`, async () =>
      action === 'push' ? probeUpload(client, reference.repository, signal) : probePull(reference, context),
    );
  } catch (error) {
    if (!isDtError(error, 'DT_AUTH_REQUIRED', 'DT_AUTH_DENIED')) throw error;
    const used =
      origin === undefined
        ? `No credentials were found for ${reference.registry}.`
        : `The credentials are from ${describeOrigin(origin)}.`;
    throw copyError(error, { detail: error.code === 'DT_AUTH_DENIED' ? `${error.detail ?? ''} ${used}`.trim() : used });
  }
  return {
    reference: formatReference(reference),
    action,
    credentials: origin ?? { kind: 'anonymous' },
    asked: client.hasAskedForCredentials,
  };
}

/** One line on where the credentials of a check came from. */
export function describeCredentials({ credentials, asked }: CheckAccessResult): string {
  if (credentials.kind === 'anonymous') return 'no credentials were found: access is anonymous';
  const place = describeOrigin(credentials);
  return asked
    ? `the credentials are from ${place}`
    : `the registry did not ask for credentials; those from ${place} were not sent`;
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

function trimScheme(text: string): string {
  return text.startsWith(OCI_SCHEME) ? text.slice(OCI_SCHEME.length) : text;
}
