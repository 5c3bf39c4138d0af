import { digestHex } from '../oci/digest.ts';
import { LineIndex } from '../yaml/line-index.ts';
import type { RelocationChange } from './relocation-change.ts';
import type { ReplacedIndexes } from './replaced-indexes.ts';

/** A text in which the digests of replaced indexes give way to the new ones, wherever they stand: no two things have one digest. */
export function replaceDigestTexts(
  text: string,
  file: string,
  replaced: ReplacedIndexes,
): { readonly text: string; readonly changes: readonly RelocationChange[] } {
  let result = text;
  const changes: RelocationChange[] = [];
  for (const [from, to] of replaced) {
    const [oldHex, newHex] = [digestHex(from), digestHex(to)];
    // As long as each other unless the algorithms differ, and then the lines are the same still.
    const lines = new LineIndex(result);
    for (let at = result.indexOf(oldHex); at !== -1; at = result.indexOf(oldHex, at + oldHex.length)) {
      changes.push({ file, line: lines.lineOf(at), path: '', from: oldHex, to: newHex });
    }
    result = result.replaceAll(oldHex, newHex);
  }
  return { text: result, changes };
}
