import type { Digest } from './digest.ts';
import { digestAlgorithm, digestHex, isDigest } from './digest.ts';

/**
 * A signature, attestation, SBOM or other manifest that belongs to another manifest of the same repository: a referrer, or
 * found under a tag that is made of the digest.
 */
export interface AttachedArtifact {
  /** What it is attached to: an index, a platform manifest, or another artifact. */
  readonly subject: Digest;
  /** Digest of the artifact's own manifest or index. */
  readonly digest: Digest;
  /** The tag under which tools look for it; absent for a referrer. */
  readonly tag?: string;
}

/** Of the tag `sha256-<hex>.SUFFIX`: cosign's signature, attestation and SBOM, and the metadata of the Go dt. */
export const ATTACHED_TAG_SUFFIXES = ['sig', 'att', 'sbom', 'metadata'] as const;

export type AttachedTagSuffix = (typeof ATTACHED_TAG_SUFFIXES)[number];

const MAX_ALGORITHM_LENGTH = 32;
const MAX_ENCODED_LENGTH = 64;

/**
 * The tag of the index of referrers in a registry that has no Referrers API.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#referrers-tag-schema
 */
export function referrersTag(subject: Digest): string {
  return `${digestAlgorithm(subject).slice(0, MAX_ALGORITHM_LENGTH)}-${digestHex(subject).slice(0, MAX_ENCODED_LENGTH)}`;
}

/** The tag of an artifact that is found by the digest of its subject. https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md */
export function attachedTag(subject: Digest, suffix: AttachedTagSuffix): string {
  return `${digestAlgorithm(subject)}-${digestHex(subject)}.${suffix}`;
}

const METADATA_TAG_SUFFIX = '-metadata';

/** The other tag of the metadata of the Go dt, made of the tag of the image or chart. */
export function metadataTag(tag: string): string {
  return tag + METADATA_TAG_SUFFIX;
}

/** True for a tag that metadata of the Go dt may have. */
export function isMetadataTag(tag: string): boolean {
  return tag.endsWith(METADATA_TAG_SUFFIX);
}

/** True for a tag that an attached artifact may have: one made of the digest of its subject, or that of metadata. */
export function isAttachedTag(tag: string, subject: Digest): boolean {
  return isMetadataTag(tag) || ATTACHED_TAG_SUFFIXES.some((suffix) => tag === attachedTag(subject, suffix));
}

const ATTACHED_TAG_PATTERN = new RegExp(`^(sha256|sha512)-([0-9a-f]+)\\.(?:${ATTACHED_TAG_SUFFIXES.join('|')})$`);

/** What an artifact belongs to that is found under this tag; undefined for any other tag. */
export function findTaggedSubject(tag: string): Digest | undefined {
  const [, algorithm = '', hex = ''] = ATTACHED_TAG_PATTERN.exec(tag) ?? [];
  const digest = `${algorithm}:${hex}`;
  return isDigest(digest) ? digest : undefined;
}
