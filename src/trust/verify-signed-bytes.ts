import { createHash, timingSafeEqual } from 'node:crypto';
import { isSignatureOf, keyFingerprint } from './key-algorithm.ts';
import { signatureError } from './signature-error.ts';
import type { Signer, TrustPolicy } from './trust-policy.ts';
import { toSignatureError, verifyIdentity, type Evidence, type SignatureContent } from './verify-identity.ts';

/** Something small that was signed. */
export interface SignedBytes {
  readonly bytes: Buffer;
  readonly signature: Buffer;
  /** What a log entry names by its digest where that is not all that was signed: the payload of an envelope. */
  readonly payload?: Buffer;
  /** What time stamps are made over, if not the signature. */
  readonly timestamped?: Buffer;
}

const DIGEST_ALGORITHMS: Readonly<Record<number, string>> = { 32: 'sha256', 48: 'sha384', 64: 'sha512' };

/** Checks a signature over bytes in memory. `readEvidence` is only called where the policy is a name. Throws DT_SIGNATURE_INVALID. */
export function verifySignedBytes(signed: SignedBytes, readEvidence: () => Evidence, policy: TrustPolicy): Signer {
  if (policy.kind === 'identity') return verifyIdentity(readSafely(readEvidence), toContent(signed), policy);
  if (!isSignatureOf(policy.key, signed.bytes, signed.signature)) {
    throw signatureError('it was made with another key, or what was signed has been changed');
  }
  return { kind: 'key', fingerprint: keyFingerprint(policy.key) };
}

/** Runs what reads certificates and log entries from outside. */
export function readSafely<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw toSignatureError(error);
  }
}

/** True if the digest, of the algorithm that its length tells, is the one of the bytes. */
function hasDigest(bytes: Buffer, digest: Buffer): boolean {
  const algorithm = DIGEST_ALGORITHMS[digest.length];
  return algorithm !== undefined && timingSafeEqual(createHash(algorithm).update(bytes).digest(), digest);
}

function toContent({ bytes, signature, payload = bytes, timestamped = signature }: SignedBytes): SignatureContent {
  return {
    signature: timestamped,
    compareSignature: (other) => signature.equals(other),
    compareDigest: (digest) => hasDigest(payload, digest),
    compareSignedDigest: (digest) => hasDigest(bytes, digest),
    verifySignature: (key) => isSignatureOf(key, bytes, signature),
  };
}
