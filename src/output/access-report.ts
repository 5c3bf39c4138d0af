import { describeOrigin } from '../domain/oci/credential-origin.ts';
import type { CheckAccessResult } from '../workflows/check-access.ts';
import { INDENTATION, toSafeText } from './line-format.ts';

/** What `auth check` tells people, below the outcome: where the credentials came from. */
export function formatAccess(result: CheckAccessResult): string {
  return `${' '.repeat(INDENTATION)} ${toSafeText(describeCredentials(result))}`;
}

function describeCredentials({ credentials, checked }: CheckAccessResult): string {
  if (credentials.kind === 'anonymous') return 'no credentials were found: access is anonymous';
  const place = describeOrigin(credentials);
  return checked
    ? `the credentials are from ${place}`
    : `the registry did not ask for credentials; those from ${place} were not sent`;
}
