import { createHash, createSign, type KeyObject } from 'node:crypto';
import { DtError } from '../domain/errors.ts';
import { explainUnsupportedKey, keyFingerprint, signatureInput } from './key-algorithm.ts';
import { MEDIA_TYPE_SIGSTORE_BUNDLE } from './verify-image-bundle.ts';

/** Signs a file of any size while it is read. */
export interface BlobSigner {
  /** The next bytes of the file. */
  update(chunk: Uint8Array): void;
  /** The bytes of a Sigstore bundle; to be called once, at the end of the file. */
  finish(): Buffer;
}

/**
 * Starts the signature of a file with a private key of `readPrivateKey`. What comes out is what `cosign sign-blob --bundle` writes without a
 * transparency log: `cosign verify-blob --key cosign.pub --bundle FILE --insecure-ignore-tlog=true` takes it. SHA-256 for every key, because that is
 * what cosign 3.1 checks with whatever the curve. Throws DT_KEY_INVALID, also for Ed25519, which needs the whole file in memory.
 * https://github.com/sigstore/protobuf-specs/blob/v0.5.0/protos/sigstore_bundle.proto
 */
export function createBlobSigner(key: KeyObject): BlobSigner {
  const problem = explainUnsupportedFileKey(key);
  if (problem !== undefined) throw new DtError('DT_KEY_INVALID', `cannot sign with this key: ${problem}`);
  const [sign, hash] = [createSign('sha256'), createHash('sha256')];
  return {
    update: (chunk) => {
      sign.update(chunk);
      hash.update(chunk);
    },
    finish: () =>
      Buffer.from(
        JSON.stringify({
          mediaType: MEDIA_TYPE_SIGSTORE_BUNDLE,
          verificationMaterial: { publicKey: { hint: keyFingerprint(key) } },
          messageSignature: {
            messageDigest: { algorithm: 'SHA2_256', digest: hash.digest('base64') },
            signature: sign.sign(signatureInput(key), 'base64'),
          },
        }),
      ),
  };
}

function explainUnsupportedFileKey(key: KeyObject): string | undefined {
  if (key.type !== 'private') return 'it is not a private key';
  if (key.asymmetricKeyType === 'ed25519') return 'Ed25519 keys cannot sign files; use an ECDSA or RSA key';
  return explainUnsupportedKey(key);
}
