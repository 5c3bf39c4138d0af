import { isDigest, type Digest } from '../oci/digest.ts';

/**
 * Indexes that the target holds under another digest, because some of their platforms were left out: the digest at the
 * source, and the one at the target. No digest may stand on both sides.
 */
export type ReplacedIndexes = ReadonlyMap<Digest, Digest>;

export const NO_REPLACED_INDEXES: ReplacedIndexes = new Map();

const HEX_PATTERN = /^[a-f0-9]{64,128}$/;

/** The digest that the target has for this one: the same, if its index was not replaced. */
export function replaceDigest(digest: Digest, replaced: ReplacedIndexes): Digest {
  return replaced.get(digest) ?? digest;
}

/** The text with the digest behind its `@` replaced; the text itself if it ends with no such digest. */
export function replaceDigestSuffix(text: string, replaced: ReplacedIndexes): string {
  const at = text.lastIndexOf('@');
  const digest = text.slice(at + 1);
  return at !== -1 && isDigest(digest) ? text.slice(0, at + 1) + replaceDigest(digest, replaced) : text;
}

/** A text that is a whole digest, or its hexadecimal part alone, with the digest replaced; else the text itself. */
export function replaceWholeDigest(text: string, replaced: ReplacedIndexes): string {
  if (isDigest(text)) return replaceDigest(text, replaced);
  if (!HEX_PATTERN.test(text)) return text;
  for (const [from, to] of replaced) if (from.endsWith(`:${text}`)) return to.slice(to.indexOf(':') + 1);
  return text;
}
