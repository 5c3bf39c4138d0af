import { createHash, sign, type KeyObject } from 'node:crypto';
import type { Digest } from '../../src/domain/oci/digest.ts';

export const PREDICATE_OF_SIGNATURES = 'https://sigstore.dev/cosign/sign/v1';
export const PAYLOAD_TYPE = 'application/vnd.in-toto+json';

/** Part of a bundle that is not there when a key was used. */
export interface BundleParts {
  readonly certificate?: Buffer;
  readonly tlogEntries?: readonly unknown[];
  /** Of RFC 3161. */
  readonly timestamps?: readonly Buffer[];
}

/** The signature of a file as `cosign sign-blob` writes it. */
export function createMessageBundle(file: Buffer, key: KeyObject, parts: BundleParts = {}): Record<string, unknown> {
  const digest = createHash('sha256').update(file).digest('base64');
  const signature = sign('sha256', file, key).toString('base64');
  return {
    ...createMaterial(parts),
    messageSignature: { messageDigest: { algorithm: 'SHA2_256', digest }, signature },
  };
}

/** The signature of an image as `cosign sign` writes it. */
export function createStatementBundle(
  subject: Digest,
  key: KeyObject,
  parts: BundleParts = {},
  predicateType = PREDICATE_OF_SIGNATURES,
): Record<string, unknown> {
  return { ...createMaterial(parts), dsseEnvelope: createEnvelope(createStatement(subject, predicateType), key) };
}

/** An in-toto statement about one digest. */
export function createStatement(subject: Digest, predicateType = PREDICATE_OF_SIGNATURES): Buffer {
  const [algorithm = '', hex = ''] = subject.split(':');
  return toJson({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ digest: { [algorithm]: hex } }],
    predicateType,
    predicate: {},
  });
}

export interface EnvelopeOptions {
  readonly payloadType?: string;
  /** Null for Ed25519. */
  readonly hash?: string | null;
}

/** A signed envelope. https://github.com/secure-systems-lab/dsse/blob/v1.0.0/protocol.md */
export function createEnvelope(
  payload: Buffer,
  key: KeyObject,
  { payloadType = PAYLOAD_TYPE, hash = 'sha256' }: EnvelopeOptions = {},
): { payload: string; payloadType: string; signatures: { sig: string }[] } {
  const sig = sign(hash, encodeBeforeSigning(payloadType, payload), key).toString('base64');
  return { payload: payload.toString('base64'), payloadType, signatures: [{ sig }] };
}

/** What cosign signs in its classic form. */
export function createSimplePayload(subject: string, type = 'cosign container image signature'): Buffer {
  return toJson({
    critical: {
      identity: { 'docker-reference': 'registry.example.test/app' },
      image: { 'docker-manifest-digest': subject },
      type,
    },
    optional: null,
  });
}

export function toJson(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function encodeBeforeSigning(payloadType: string, payload: Buffer): Buffer {
  const head = `DSSEv1 ${String(payloadType.length)} ${payloadType} ${String(payload.length)} `;
  return Buffer.concat([Buffer.from(head), payload]);
}

function createMaterial({ certificate, tlogEntries, timestamps }: BundleParts): Record<string, unknown> {
  const content =
    certificate === undefined
      ? { publicKey: { hint: 'any' } }
      : { certificate: { rawBytes: certificate.toString('base64') } };
  const rfc3161Timestamps = timestamps?.map((stamp) => ({ signedTimestamp: stamp.toString('base64') }));
  return {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: {
      ...content,
      ...(tlogEntries && { tlogEntries }),
      ...(rfc3161Timestamps && { timestampVerificationData: { rfc3161Timestamps } }),
    },
  };
}
