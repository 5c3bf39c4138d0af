import { nameOf } from '../discovery/reference-heads.ts';
import { parseLikelyImage } from '../discovery/image-text.ts';

/** What a relocation may change in a rendering. */
export interface ExpectedMoves {
  /** The text that an image reference must become, the same text if it may stay; undefined if it is no reference. */
  relocateText(text: string): string | undefined;
  /** Scalars that were edited: a rendering may hold copies of the values. */
  readonly replaced: readonly { readonly from: string; readonly to: string }[];
  /** Texts that are images of the rendering, however short they are. */
  readonly images: ReadonlySet<string>;
}

/** Encoded texts may hold encoded texts. */
const MAX_DEPTH = 3;
/** An equals sign at the end belongs to a base64 text. */
const DELIMITERS = /((?:[\s"'`,;|&()[\]<>{}\\]|=(?=[^=\s"',;]))+)/;
const SCHEME = /^[a-z][a-z0-9+.-]*:\/\//i;
const BASE64 = /^[A-Za-z0-9+/]{16,}={0,2}$/;
/** A checksum of something that changed, whole or cut and behind a name. */
const CHECKSUM = /^((?:.*[^0-9a-f])?)([0-9a-f]{6,128})$/;
/** What stands in front of a value that is a part of an image: `"repository":"redis"`, `hub: docker.io`. */
const IMAGE_KEY = /(?:registry|repository|repo|image|hub)\w*:?$/i;

/**
 * True if the second text is the first one with nothing but image references moved as they must be, copies of edited values,
 * and checksums of what changed. Encoded texts are looked into.
 */
export function isExplainedDifference(before: string, after: string, expected: ExpectedMoves, depth = 0): boolean {
  if (before === after) return true;
  const [left, right] = [before.split(DELIMITERS), after.split(DELIMITERS)];
  return (
    left.length === right.length &&
    left.every((word, index) => {
      // Every second part is what lies between two words.
      const key = left[index - 2] ?? '';
      return isExplainedWord(word, right[index], { key, expected, depth });
    })
  );
}

/** True if a name differs in a checksum at its end only: a name must not change with the images. */
export function isExplainedName(before: string, after: string): boolean {
  return before === after || isChecksum(before, after);
}

interface WordContext {
  /** The word in front of it. */
  readonly key: string;
  readonly expected: ExpectedMoves;
  readonly depth: number;
}

function isExplainedWord(before: string, after: string | undefined, context: WordContext): boolean {
  if (after === undefined || before === after) return before === after;
  return isMove(before, after, context) || isChecksum(before, after) || isExplainedEncoding(before, after, context);
}

function isMove(before: string, after: string, context: WordContext): boolean {
  const { expected, key } = context;
  if (isImageText(before, context) && expected.relocateText(before) === after) return true;
  if (expected.replaced.some(({ from, to }) => isCopy(before, after, from, to, key))) return true;
  const scheme = SCHEME.exec(before)?.[0];
  if (scheme !== undefined && after.startsWith(scheme))
    return isMove(before.slice(scheme.length), after.slice(scheme.length), context);
  const end = /[.:]+$/.exec(before)?.[0];
  if (end !== undefined && after.endsWith(end))
    return isMove(before.slice(0, -end.length), after.slice(0, -end.length), context);
  // The rendering of a name that is put together elsewhere has no tag.
  const name = nameOf(before);
  return name !== before && after.endsWith(before.slice(name.length)) && isMove(name, nameOf(after), context);
}

/** A bare word like `redis` is an image only where something says so. */
function isImageText(text: string, { expected, key }: WordContext): boolean {
  return expected.images.has(text) || parseLikelyImage(text, IMAGE_KEY.test(key)) !== undefined || IMAGE_KEY.test(key);
}

/** The edited text itself, or what begins with it. */
function isCopy(before: string, after: string, from: string, to: string, key: string): boolean {
  if (from === '' || !before.startsWith(from) || !/^(?:$|[/:@])/.test(before.slice(from.length))) return false;
  if (!/[./:]/.test(from) && !IMAGE_KEY.test(key)) return false;
  return after === to + before.slice(from.length);
}

function isChecksum(before: string, after: string): boolean {
  const head = trimChecksum(before);
  return before.length === after.length && before !== head && head === trimChecksum(after) && after !== head;
}

/** A text without the checksum at its end; the text itself if it has none. */
function trimChecksum(text: string): string {
  const [, head = '', digits = ''] = CHECKSUM.exec(text) ?? [];
  // A number or a word is none.
  return /\d/.test(digits) && /[a-f]/.test(digits) ? head : text;
}

function isExplainedEncoding(before: string, after: string, { expected, depth }: WordContext): boolean {
  if (depth >= MAX_DEPTH || !BASE64.test(before) || !BASE64.test(after)) return false;
  const [left, right] = [decodeText(before), decodeText(after)];
  return left !== undefined && right !== undefined && isExplainedDifference(left, right, expected, depth + 1);
}

function decodeText(base64: string): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(base64, 'base64'));
  } catch {
    return undefined;
  }
}
