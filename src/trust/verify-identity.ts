import { createPublicKey, type KeyObject } from 'node:crypto';
import { VerificationError, Verifier, type SignedEntity } from '@sigstore/verify';
import { errorMessage, isDtError, type DtError } from '../domain/errors.ts';
import { explainUnsupportedKey } from './key-algorithm.ts';
import { signatureError } from './signature-error.ts';
import type { IdentityPolicy, Signer } from './trust-policy.ts';

/** The certificate of a signature with its log entries and time stamps: all of an entity but what was signed. */
export type Evidence = Omit<SignedEntity, 'signature'>;
export type SignatureContent = SignedEntity['signature'];

// https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.12
const OID_EXTENDED_KEY_USAGE = '2.5.29.37';
const OID_CODE_SIGNING = '1.3.6.1.5.5.7.3.3';
const REQUIRED_ENTRIES = 1;

const REASONS: Readonly<Record<VerificationError['code'], string>> = {
  CERTIFICATE_ERROR: 'its certificate is not one that the trusted root vouches for at the time of signing',
  NOT_IMPLEMENTED_ERROR: 'it is of a kind that cannot be checked',
  PUBLIC_KEY_ERROR: 'its key is not known',
  SIGNATURE_ERROR: 'it does not fit what was signed',
  TIMESTAMP_ERROR: 'no trusted log or authority tells when it was made',
  TLOG_BODY_ERROR: 'its entry in the transparency log is about another signature',
  TLOG_ERROR: 'it is not in the transparency log',
  TLOG_INCLUSION_PROMISE_ERROR: 'its entry is not in a trusted transparency log',
  TLOG_INCLUSION_PROOF_ERROR: 'its entry is not in a trusted transparency log',
  TLOG_MISSING_INCLUSION_ERROR: 'its entry is not in a trusted transparency log',
};

/** The key in the certificate. Throws DT_SIGNATURE_INVALID for a signature without one, or with a key that is not supported. */
export function readCertificateKey(evidence: Evidence): KeyObject {
  if (evidence.key.$case !== 'certificate') throw signatureError('it was made with a key, not with a certificate');
  const key = readSpki(evidence.key.certificate.publicKey);
  const problem = explainUnsupportedKey(key);
  if (problem !== undefined) throw signatureError(`the key of its certificate cannot be used: ${problem}`);
  return key;
}

/** Checks certificate, logs, time stamps, signature and name. Throws DT_SIGNATURE_INVALID with the first reason. Asks nobody. */
export function verifyIdentity(evidence: Evidence, signature: SignatureContent, policy: IdentityPolicy): Signer {
  readCertificateKey(evidence);
  requireCodeSigning(evidence);
  const { tlogs, ctlogs } = policy.trustedRoot;
  const verifier = new Verifier(policy.trustedRoot, {
    tlogThreshold: tlogs.length === 0 ? 0 : REQUIRED_ENTRIES,
    ctlogThreshold: ctlogs.length === 0 ? 0 : REQUIRED_ENTRIES,
    timestampThreshold: REQUIRED_ENTRIES,
  });
  const { subjectAlternativeName: identity, extensions } = runVerifier(verifier, { ...evidence, signature });
  // The library would take the wanted name as a regular expression.
  if (identity === undefined || identity !== policy.certificateIdentity) {
    throw signatureError(`it was made by ${identity ?? 'nobody named'}, not by ${policy.certificateIdentity}`);
  }
  const issuer = extensions?.issuer;
  if (policy.certificateOidcIssuer !== undefined && issuer !== policy.certificateOidcIssuer) {
    throw signatureError(
      `its signer logged in at ${issuer ?? 'a place without a name'}, not at ${policy.certificateOidcIssuer}`,
    );
  }
  return { kind: 'identity', identity, ...(issuer === undefined ? {} : { issuer }) };
}

function runVerifier(
  verifier: Verifier,
  entity: SignedEntity,
): NonNullable<ReturnType<Verifier['verify']>['identity']> {
  try {
    return verifier.verify(entity).identity ?? {};
  } catch (error) {
    throw toSignatureError(error);
  }
}

/** Any failure while reading or checking what came from outside, as DT_SIGNATURE_INVALID. */
export function toSignatureError(error: unknown): DtError {
  if (isDtError(error)) return error;
  const reason = error instanceof VerificationError ? REASONS[error.code] : 'it cannot be read';
  const causes = error instanceof VerificationError && error.cause instanceof Error ? [error.cause.message] : [];
  return signatureError(reason, { detail: [errorMessage(error), ...causes].join(': ').slice(0, 300), cause: error });
}

/** A certificate of the same authority for another use, such as a web server, signs nothing. */
function requireCodeSigning({ key }: Evidence): void {
  if (key.$case !== 'certificate') return;
  const usages = key.certificate.extension(OID_EXTENDED_KEY_USAGE)?.valueObj.subs[0]?.subs ?? [];
  if (!usages.some((usage) => usage.toOID() === OID_CODE_SIGNING) || key.certificate.isCA) {
    throw signatureError('its certificate is not one for signing');
  }
}

function readSpki(der: Buffer): KeyObject {
  try {
    return createPublicKey({ key: der, format: 'der', type: 'spki' });
  } catch (error) {
    throw signatureError('the key of its certificate cannot be read', { cause: error });
  }
}
