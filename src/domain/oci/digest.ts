import { createHash, type Hash } from 'node:crypto';
import { DtError } from '../errors.ts';

/**
 * A digest in its canonical text form, `sha256:<64 hex>` or `sha512:<128 hex>`.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#digests
 */
export type Digest = string & { readonly __brand: 'Digest' };

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#registered-algorithms */
export type DigestAlgorithm = 'sha256' | 'sha512';

const DIGEST_PATTERN = /^(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128})$/;

/** True if the text is a digest of a registered algorithm. */
export function isDigest(text: string): text is Digest {
  return DIGEST_PATTERN.test(text);
}

/** Returns the text as a digest. Throws DT_MANIFEST_INVALID otherwise. */
export function parseDigest(text: unknown): Digest {
  if (typeof text === 'string' && isDigest(text)) return text;
  throw new DtError('DT_MANIFEST_INVALID', `"${String(text).slice(0, 160)}" is not a digest`);
}

export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256';
}

/** The hexadecimal part of a digest. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** The sha256 digest of the bytes. */
export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

/** A running hash of the same algorithm as the digest. */
export function createDigestHash(digest: Digest): Hash {
  return createHash(digestAlgorithm(digest));
}

/** True if the bytes have the digest, by the digest's own algorithm. */
export function matchesDigest(bytes: Uint8Array, digest: Digest): boolean {
  return createDigestHash(digest).update(bytes).digest('hex') === digestHex(digest);
}
