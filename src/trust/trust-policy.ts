import type { KeyObject } from 'node:crypto';
import type { TrustMaterial } from '@sigstore/verify';

/** Trust in whoever has the private half of a key. No transparency log is asked for. */
export interface KeyPolicy {
  readonly kind: 'key';
  /** A public key of `readPublicKey`. */
  readonly key: KeyObject;
}

/**
 * Trust in a name that a certificate authority vouched for at the time of signing. The certificate must lead to the trusted root, be in the
 * certificate log, and the signature in the transparency log (or with a signed time stamp): each as far as the root names such logs.
 */
export interface IdentityPolicy {
  readonly kind: 'identity';
  /** The e-mail address or URI in the certificate, compared character by character. */
  readonly certificateIdentity: string;
  /** The provider that the signer logged in to. Without it any provider that the authority takes will do, so name it where several may be. */
  readonly certificateOidcIssuer?: string;
  /** Of `readTrustedRoot`. */
  readonly trustedRoot: TrustMaterial;
}

/** Whose signatures count. */
export type TrustPolicy = KeyPolicy | IdentityPolicy;

/** Who signed: the SHA-256 of the key as Sigstore bundles name it (base64), or the name in the certificate. */
export type Signer =
  | { readonly kind: 'key'; readonly fingerprint: string }
  | { readonly kind: 'identity'; readonly identity: string; readonly issuer?: string };

/** A signature that was found good. */
export interface VerifiedSignature {
  /** An attestation says more about its subject than that the signer vouches for it. */
  readonly kind: 'signature' | 'attestation';
  /** What an in-toto statement says, as a URI. */
  readonly predicateType?: string;
  readonly signer: Signer;
}
