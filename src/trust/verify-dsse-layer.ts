import { envelopeFromJSON } from '@sigstore/bundle';
import type { Digest } from '../domain/oci/digest.ts';
import { readAnnotatedEvidence, type Annotations } from './cosign-annotations.ts';
import { parseJsonObject, requireSubject } from './in-toto-statement.ts';
import { MAX_SIGNATURE_BYTES } from './parse-bundle.ts';
import { requireWithin } from './signature-error.ts';
import type { TrustPolicy, VerifiedSignature } from './trust-policy.ts';
import { verifyEnvelope } from './verify-envelope.ts';
import { readSafely } from './verify-signed-bytes.ts';

/** The media type of each layer under the tag `sha256-HEX.att`. */
export const MEDIA_TYPE_DSSE_ENVELOPE = 'application/vnd.dsse.envelope.v1+json';

/**
 * Checks an attestation in cosign's classic form: the bytes of a layer and its annotations. One of the statement's subjects must be `subject`.
 * Throws DT_SIGNATURE_INVALID, DT_LIMIT_EXCEEDED. https://github.com/sigstore/cosign/blob/main/specs/ATTESTATION_SPEC.md
 */
export function verifyDsseLayer(
  envelopeBytes: Uint8Array,
  annotations: Annotations,
  subject: Digest,
  policy: TrustPolicy,
): VerifiedSignature {
  requireWithin(envelopeBytes.length, MAX_SIGNATURE_BYTES, 'bytes');
  const bytes = Buffer.from(envelopeBytes);
  const document = parseJsonObject(bytes, 'the envelope');
  const envelope = readSafely(() => envelopeFromJSON(document));
  // cosign has the whole envelope stamped here, not the signature.
  const { statement, signer } = verifyEnvelope(envelope, () => readAnnotatedEvidence(annotations), policy, bytes);
  requireSubject(statement, subject);
  return { kind: statement.kind, predicateType: statement.predicateType, signer };
}
