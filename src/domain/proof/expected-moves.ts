import { parseImageField } from '../discovery/image-text.ts';
import { isUnderPrefix, referenceSuffix, relocatedName } from '../relocation/relocate-reference.ts';
import type { RelocationRule } from '../relocation/relocation-rule.ts';
import { replaceDigestSuffix, type ReplacedIndexes } from '../relocation/replaced-indexes.ts';

/** How a rendering writes an image after the relocation: what identifies it stays as it is written. Undefined for a text that is no reference. */
export function createTextRelocation(
  rule: RelocationRule,
  replaced: ReplacedIndexes,
): (text: string) => string | undefined {
  return (text) => {
    const reference = parseImageField(text);
    if (reference === undefined) return undefined;
    const suffix = replaceDigestSuffix(referenceSuffix(text), replaced);
    if (isUnderPrefix(reference, rule)) return text.slice(0, text.length - referenceSuffix(text).length) + suffix;
    return relocatedName(reference, rule) + suffix;
  };
}
