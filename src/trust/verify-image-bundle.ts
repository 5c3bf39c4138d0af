import { toSignedEntity } from '@sigstore/verify';
import type { Digest } from '../domain/oci/digest.ts';
import { requireSubject } from './in-toto-statement.ts';
import { parseBundle } from './parse-bundle.ts';
import { signatureError } from './signature-error.ts';
import type { TrustPolicy, VerifiedSignature } from './trust-policy.ts';
import { verifyEnvelope } from './verify-envelope.ts';

/** The media type of the one layer (and the artifact type) of a referrer that holds a Sigstore bundle. */
export const MEDIA_TYPE_SIGSTORE_BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/**
 * Checks a Sigstore bundle that is attached to an image or index, as `cosign sign` and `cosign attest` write it since version 3: a signed in-toto
 * statement, one of whose subjects must be `subject`. Throws DT_SIGNATURE_INVALID, DT_LIMIT_EXCEEDED.
 * https://github.com/sigstore/cosign/blob/main/specs/BUNDLE_SPEC.md
 */
export function verifyImageBundle(bundleBytes: Uint8Array, subject: Digest, policy: TrustPolicy): VerifiedSignature {
  const bundle = parseBundle(bundleBytes);
  if (bundle.content.$case !== 'dsseEnvelope') throw signatureError('it holds no statement about an image');
  const { statement, signer } = verifyEnvelope(bundle.content.dsseEnvelope, () => toSignedEntity(bundle), policy);
  requireSubject(statement, subject);
  return { kind: statement.kind, predicateType: statement.predicateType, signer };
}
