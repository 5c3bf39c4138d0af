import { createHash, createVerify, type KeyObject } from 'node:crypto';
import type { Bundle, MessageSignature } from '@sigstore/bundle';
import { HashAlgorithm } from '@sigstore/protobuf-specs';
import { toSignedEntity } from '@sigstore/verify';
import { DtError } from '../domain/errors.ts';
import type { Digest } from '../domain/oci/digest.ts';
import { requireSubject } from './in-toto-statement.ts';
import { keyFingerprint, signatureHashes, signatureInput, type SignatureHash } from './key-algorithm.ts';
import { parseBundle } from './parse-bundle.ts';
import { signatureError } from './signature-error.ts';
import type { Signer, TrustPolicy, VerifiedSignature } from './trust-policy.ts';
import { verifyEnvelope, type Envelope } from './verify-envelope.ts';
import { readCertificateKey, verifyIdentity, type SignatureContent } from './verify-identity.ts';
import { readSafely } from './verify-signed-bytes.ts';

/** Checks the signature of a file of any size while it is read. */
export interface BlobVerifier {
  /** The next bytes of the file. */
  update(chunk: Uint8Array): void;
  /** To be called once, at the end of the file. Throws DT_SIGNATURE_INVALID; nothing of the file may be trusted before. */
  finish(): VerifiedSignature;
}

const HASHES: Partial<Record<HashAlgorithm, SignatureHash>> = {
  [HashAlgorithm.SHA2_256]: 'sha256',
  [HashAlgorithm.SHA2_384]: 'sha384',
  [HashAlgorithm.SHA2_512]: 'sha512',
};

/**
 * Starts to check a file against the Sigstore bundle beside it: a signature of the file (`cosign sign-blob`), or a signed in-toto statement about its
 * digest (`cosign attest-blob`). What can be told without the file is told here. Throws DT_SIGNATURE_INVALID, DT_LIMIT_EXCEEDED, and DT_KEY_INVALID
 * for an Ed25519 key, which needs the whole file in memory.
 */
export function createBlobVerifier(bundleBytes: Uint8Array, policy: TrustPolicy): BlobVerifier {
  const bundle = parseBundle(bundleBytes);
  return bundle.content.$case === 'dsseEnvelope'
    ? createStatementVerifier(bundle, bundle.content.dsseEnvelope, policy)
    : createMessageVerifier(bundle, bundle.content.messageSignature, policy);
}

function createStatementVerifier(bundle: Bundle, envelope: Envelope, policy: TrustPolicy): BlobVerifier {
  const { statement, signer } = verifyEnvelope(envelope, () => toSignedEntity(bundle), policy);
  const hash = createHash('sha256');
  return {
    update: (chunk) => {
      hash.update(chunk);
    },
    finish: () => {
      requireSubject(statement, `sha256:${hash.digest('hex')}` as Digest);
      return { kind: statement.kind, predicateType: statement.predicateType, signer };
    },
  };
}

function createMessageVerifier(
  bundle: Bundle,
  { messageDigest, signature }: MessageSignature,
  policy: TrustPolicy,
): BlobVerifier {
  const algorithm = chooseHash(bundle, messageDigest.algorithm, policy);
  const [hash, verify] = [createHash(algorithm), createVerify(algorithm)];
  return {
    update: (chunk) => {
      hash.update(chunk);
      verify.update(chunk);
    },
    finish: () => {
      const digest = hash.digest();
      if (!digest.equals(messageDigest.digest)) {
        const signed = messageDigest.digest.toString('hex').slice(0, 128);
        throw signatureError(
          `it is about a file with the digest ${algorithm}:${signed}, this one has ${algorithm}:${digest.toString('hex')}`,
        );
      }
      const content: SignatureContent = {
        signature,
        compareSignature: (other) => signature.equals(other),
        compareDigest: (other) => digest.equals(other),
        compareSignedDigest: (other) => digest.equals(other),
        verifySignature: (key) => verify.verify(signatureInput(key), signature),
      };
      return { kind: 'signature', signer: verifyContent(bundle, content, policy) };
    },
  };
}

function verifyContent(bundle: Bundle, content: SignatureContent, policy: TrustPolicy): Signer {
  if (policy.kind === 'identity')
    return verifyIdentity(
      readSafely(() => toSignedEntity(bundle)),
      content,
      policy,
    );
  if (!content.verifySignature(policy.key)) throw signatureError('it was made with another key');
  return { kind: 'key', fingerprint: keyFingerprint(policy.key) };
}

/** The hash that the bundle names, if it is one that signatures of this key may use. */
function chooseHash(bundle: Bundle, algorithm: HashAlgorithm, policy: TrustPolicy): SignatureHash {
  const key = readKey(bundle, policy);
  const hash = HASHES[algorithm];
  if (hash !== undefined && signatureHashes(key).includes(hash)) return hash;
  throw signatureError('its hash algorithm does not fit the key');
}

function readKey(bundle: Bundle, policy: TrustPolicy): KeyObject {
  const key = policy.kind === 'key' ? policy.key : readCertificateKey(readSafely(() => toSignedEntity(bundle)));
  if (key.asymmetricKeyType !== 'ed25519') return key;
  throw new DtError('DT_KEY_INVALID', 'Ed25519 keys cannot check files: they would need all of it in memory', {
    hints: ['sign the file with an ECDSA or RSA key'],
  });
}
