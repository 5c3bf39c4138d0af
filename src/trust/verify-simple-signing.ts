import type { Digest } from '../domain/oci/digest.ts';
import { readAnnotatedEvidence, readAnnotation, SIGNATURE_ANNOTATION, type Annotations } from './cosign-annotations.ts';
import { isRecord, parseJsonObject } from './in-toto-statement.ts';
import { requireWithin, signatureError } from './signature-error.ts';
import type { TrustPolicy, VerifiedSignature } from './trust-policy.ts';
import { verifySignedBytes } from './verify-signed-bytes.ts';

/** The media type of each layer under the tag `sha256-HEX.sig`. */
export const MEDIA_TYPE_SIMPLE_SIGNING = 'application/vnd.dev.cosign.simplesigning.v1+json';

const PAYLOAD_TYPE = 'cosign container image signature';
const MAX_PAYLOAD_BYTES = 1024 * 1024;

/**
 * Checks a signature in cosign's classic form: the bytes of a layer and its annotations. The payload must name `subject`; the repository that it names
 * is not compared, for the image has moved. Throws DT_SIGNATURE_INVALID, DT_LIMIT_EXCEEDED.
 * https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md
 */
export function verifySimpleSigning(
  payload: Uint8Array,
  annotations: Annotations,
  subject: Digest,
  policy: TrustPolicy,
): VerifiedSignature {
  requireWithin(payload.length, MAX_PAYLOAD_BYTES, 'bytes');
  const signature = readAnnotation(annotations, SIGNATURE_ANNOTATION);
  if (signature === undefined) throw signatureError('its layer has no signature');
  const signed = { bytes: Buffer.from(payload), signature: Buffer.from(signature, 'base64') };
  const signer = verifySignedBytes(signed, () => readAnnotatedEvidence(annotations), policy);
  requirePayload(signed.bytes, subject);
  return { kind: 'signature', signer };
}

function requirePayload(bytes: Buffer, subject: Digest): void {
  const { critical } = parseJsonObject(bytes, 'what was signed');
  const { type, image } = isRecord(critical) ? critical : {};
  const digest = isRecord(image) ? image['docker-manifest-digest'] : undefined;
  if (type !== PAYLOAD_TYPE || typeof digest !== 'string') throw signatureError('what was signed names no image');
  if (digest !== subject) throw signatureError(`it is about ${digest.slice(0, 160)}, not about ${subject}`);
}
