/** Where a credential was found. */
export type CredentialOrigin =
  | { readonly kind: 'flags' }
  | {
      readonly kind: 'file';
      readonly file: string;
      /** The key in the file, or what the helper was asked for. */
      readonly entry: string;
      /** The helper that the file names, if it keeps the credential. */
      readonly helper?: string;
    };

/** A few words for a message. */
export function describeOrigin(origin: CredentialOrigin): string {
  if (origin.kind === 'flags') return 'the flags of the command line';
  const { file, entry, helper } = origin;
  return helper === undefined
    ? `entry "${entry}" of ${file}`
    : `docker-credential-${helper} with "${entry}", named in ${file}`;
}
