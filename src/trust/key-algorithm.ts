import { constants, createHash, createPublicKey, verify, type KeyObject } from 'node:crypto';

/** The hash that a signature is made over; Ed25519 has its own inside and takes the bytes as they are. */
export type SignatureHash = 'sha256' | 'sha384' | 'sha512';

/** The hash that belongs to a curve, and SHA-256, which cosign takes and makes with any curve when it is given a key file. */
const CURVE_HASHES: Readonly<Record<string, readonly SignatureHash[]>> = {
  prime256v1: ['sha256'],
  secp384r1: ['sha256', 'sha384'],
  secp521r1: ['sha256', 'sha512'],
};
const MIN_RSA_BITS = 2048;
/** Larger ones are of no use, and checking them takes long. */
const MAX_RSA_BITS = 8192;

/** Why a key cannot be used for signatures; undefined if it can: ECDSA on a NIST curve, RSA (PKCS #1 v1.5), Ed25519. */
export function explainUnsupportedKey(key: KeyObject): string | undefined {
  const { modulusLength = 0, namedCurve } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case 'ec':
      // A curve that is spelled out, and is none that OpenSSL knows, has no name.
      if (namedCurve !== undefined && Object.hasOwn(CURVE_HASHES, namedCurve)) return undefined;
      return `its curve ${namedCurve ?? 'without a name'} is not P-256, P-384 or P-521`;
    case 'rsa':
      if (modulusLength >= MIN_RSA_BITS && modulusLength <= MAX_RSA_BITS) return undefined;
      return `an RSA key needs ${String(MIN_RSA_BITS)} to ${String(MAX_RSA_BITS)} bits, it has ${String(modulusLength)}`;
    case 'ed25519':
      return undefined;
    default:
      return `keys of type ${key.asymmetricKeyType ?? key.type} are not supported: use ECDSA, RSA or Ed25519`;
  }
}

/** The hashes that signatures of a supported key may use; none for Ed25519. The key decides this, never the signature. */
export function signatureHashes(key: KeyObject): readonly SignatureHash[] {
  if (key.asymmetricKeyType === 'ed25519') return [];
  return CURVE_HASHES[key.asymmetricKeyDetails?.namedCurve ?? ''] ?? ['sha256'];
}

/** The key with the way its signatures are encoded, for node:crypto. */
export function signatureInput(key: KeyObject): { key: KeyObject; padding?: number; dsaEncoding: 'der' } {
  const padding = key.asymmetricKeyType === 'rsa' ? { padding: constants.RSA_PKCS1_PADDING } : {};
  return { key, dsaEncoding: 'der', ...padding };
}

/** True if the signature over the bytes was made with the private half of this supported key. */
export function isSignatureOf(key: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean {
  const hashes = key.asymmetricKeyType === 'ed25519' ? [null] : signatureHashes(key);
  return hashes.some((hash) => verify(hash, bytes, signatureInput(key), signature));
}

/** The SHA-256 of the public key in its DER form, in base64: what Sigstore bundles name a key by. */
export function keyFingerprint(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');
}
