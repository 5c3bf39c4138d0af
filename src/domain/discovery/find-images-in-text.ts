import type { Reference } from '../oci/reference.ts';
import { parseLikelyImage, writtenParts } from './image-text.ts';

/** What the name of a text says about it: `PROXY_IMAGE`, `trivy.repository`, nothing. */
export type ImageHint = 'image' | 'repository' | 'none';

export interface TextImage {
  readonly text: string;
  readonly reference: Reference;
}

/** Texts of many megabytes are dashboards and data. */
const MAX_SCANNED_LENGTH = 4 * 1024 * 1024;
const WORD_PATTERN = /[^\s"'`=,;|&()[\]<>{}\\]+/g;
/** The key in front of a value: `image: `, `"image":"`, `--image=`. */
const KEY_PATTERN = /([\w./-]{1,80})["']?[ \t]*[:=][ \t]*\\?["']?$/;
const MAX_KEY_LENGTH = 100;

/** The hint that lies in a key, the name of a variable or a flag. */
export function readImageHint(key: string): ImageHint {
  if (/image(?!pull)/i.test(key) && !/pull_?-?(?:policy|secret)/i.test(key)) return 'image';
  return /(?:repository|repo)$/i.test(key) ? 'repository' : 'none';
}

/** Finds what looks like an image in a text: the text as a whole, or words of it. */
export function findImagesInText(text: string, hint: ImageHint): readonly TextImage[] {
  if (text.length > MAX_SCANNED_LENGTH) return [];
  const whole = text.trim();
  if (!/[\s"'`,;|&()[\]<>{}\\=]/.test(whole)) {
    const found = readWord(whole, hint);
    return found === undefined ? [] : [found];
  }
  return text.split('\n').flatMap((line) => findInLine(line, hint === 'image' && !text.includes('\n')));
}

function findInLine(line: string, isHinted: boolean): readonly TextImage[] {
  if (!/[:@]/.test(line)) return [];
  const found: TextImage[] = [];
  for (const match of line.matchAll(WORD_PATTERN)) {
    // Behind a `$` or a brace something is put in later.
    if (/[{$%]$/.test(line.slice(0, match.index)) || line[match.index + match[0].length] === '{') continue;
    const key = KEY_PATTERN.exec(line.slice(Math.max(0, match.index - MAX_KEY_LENGTH), match.index))?.[1] ?? '';
    const image = readWord(
      match[0].replace(/[.:]+$/, ''),
      isHinted ? 'image' : readImageHint(key) === 'image' ? 'image' : 'none',
    );
    if (image !== undefined) found.push(image);
  }
  return found;
}

function readWord(text: string, hint: ImageHint): TextImage | undefined {
  const reference = parseLikelyImage(text, hint !== 'none');
  if (reference === undefined) return undefined;
  const { hasRegistry, hasFolder } = writtenParts(text, reference);
  if (hint === 'repository' && !(hasRegistry && hasFolder && reference.repository.includes('/'))) return undefined;
  return { text, reference };
}
