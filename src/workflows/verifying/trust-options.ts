import type { KeyObject } from 'node:crypto';
import { DtError } from '../../domain/errors.ts';
import { MAX_SIGNATURE_BYTES } from '../../trust/parse-bundle.ts';
import { readPublicKey } from '../../trust/read-key.ts';
import { readTrustedRoot } from '../../trust/read-trusted-root.ts';
import type { TrustPolicy } from '../../trust/trust-policy.ts';
import { readNamedFile } from '../read-named-file.ts';
import { MAX_TRUST_FILE_BYTES, SIGNATURE_EXTENSION } from './trust-files.ts';

/** Whose signatures count, as the user says it: a key, or a name with the place that vouches for it. */
export interface TrustOptions {
  readonly keyFile?: string | undefined;
  readonly certificateIdentity?: string | undefined;
  readonly certificateOidcIssuer?: string | undefined;
  readonly trustedRootFile?: string | undefined;
  /** The signature of the wrap. Default: `WRAP.sigstore.json` where it is. */
  readonly signatureFile?: string | undefined;
}

/** The policy that the options make; undefined if they name nobody. Throws DT_USAGE, DT_KEY_INVALID, DT_TRUSTED_ROOT_INVALID, DT_FILE_NOT_FOUND. */
export function readTrustPolicy(options: TrustOptions): TrustPolicy | undefined {
  requireUsage(options);
  const { keyFile, certificateIdentity, certificateOidcIssuer, trustedRootFile } = options;
  if (keyFile !== undefined) return { kind: 'key', key: readKeyFile(keyFile) };
  if (certificateIdentity === undefined || certificateOidcIssuer === undefined || trustedRootFile === undefined)
    return undefined;
  const text = readNamedFile(trustedRootFile, MAX_TRUST_FILE_BYTES);
  const trustedRoot = readTrustedRoot(Buffer.from(text), trustedRootFile);
  return { kind: 'identity', certificateIdentity, certificateOidcIssuer, trustedRoot };
}

/** The signature of a wrap: the one that was named, else the one beside it. Undefined if there is none. */
export function readWrapSignature(
  file: string,
  { signatureFile }: TrustOptions,
): { readonly path: string; readonly bytes: Buffer } | undefined {
  const path = signatureFile ?? `${file}${SIGNATURE_EXTENSION}`;
  try {
    return { path, bytes: Buffer.from(readNamedFile(path, MAX_SIGNATURE_BYTES)) };
  } catch (error) {
    if (signatureFile === undefined && error instanceof DtError && error.code === 'DT_FILE_NOT_FOUND') return undefined;
    throw error;
  }
}

function readKeyFile(path: string): KeyObject {
  return readPublicKey(readNamedFile(path, MAX_TRUST_FILE_BYTES), path);
}

function requireUsage(options: TrustOptions): void {
  const { keyFile, certificateIdentity, certificateOidcIssuer, trustedRootFile, signatureFile } = options;
  for (const [name, value] of Object.entries(options)) {
    if (value === '') throw new DtError('DT_USAGE', `the value of ${FLAGS[name as keyof TrustOptions]} is empty`);
  }
  const identityFlags = [certificateIdentity, certificateOidcIssuer, trustedRootFile].filter(
    (value) => value !== undefined,
  );
  if (keyFile !== undefined && identityFlags.length > 0) {
    throw new DtError(
      'DT_USAGE',
      '--key and --certificate-identity, --certificate-oidc-issuer or --trusted-root exclude each other',
    );
  }
  if (identityFlags.length > 0 && identityFlags.length < 3) {
    throw new DtError(
      'DT_USAGE',
      '--certificate-identity, --certificate-oidc-issuer and --trusted-root belong together',
      {
        detail: 'A name counts only with the provider that vouched for it and the root that it leads to.',
      },
    );
  }
  if (signatureFile !== undefined && keyFile === undefined && identityFlags.length === 0) {
    throw new DtError('DT_USAGE', '--signature needs --key or --certificate-identity: whose signature should it be?');
  }
}

const FLAGS: Readonly<Record<keyof TrustOptions, string>> = {
  keyFile: '--key',
  certificateIdentity: '--certificate-identity',
  certificateOidcIssuer: '--certificate-oidc-issuer',
  trustedRootFile: '--trusted-root',
  signatureFile: '--signature',
};
