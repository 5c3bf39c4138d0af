import type { CredentialOrigin } from '../transport/auth/credentials.ts';

/** Where a credential was found, in a few words for a message. */
export function describeOrigin(origin: CredentialOrigin): string {
  if (origin.kind === 'flags') return 'the flags of the command line';
  const { file, entry, helper } = origin;
  return helper === undefined
    ? `entry "${entry}" of ${file}`
    : `docker-credential-${helper} with "${entry}", named in ${file}`;
}
