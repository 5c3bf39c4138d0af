const LETTER = /^\p{L}$/u;
const DIGIT = /^\p{Nd}$/u;

/**
 * The order that Go's YAML library gives the keys of a map: letters come behind other characters, and numbers inside of keys count
 * by their value (`a2`, `a10`).
 */
export function compareGoKeys(left: string, right: string): number {
  const [a, b] = [Array.from(left), Array.from(right)];
  const at = a.findIndex((character, index) => character !== b[index]);
  const [x, y] = at === -1 ? [undefined, b[a.length]] : [a[at], b[at]];
  if (x === undefined || y === undefined) return a.length - b.length;
  const [isLetter, isOtherLetter] = [LETTER.test(x), LETTER.test(y)];
  if (isLetter && isOtherLetter) return compareCodes(x, y);
  // Behind the same digits the longer number is the larger one, so a letter comes first there.
  if (isLetter || isOtherLetter) return isLetter === DIGIT.test(a[at - 1] ?? '') ? -1 : 1;
  const [number, otherNumber] = [readDigits(a, at), readDigits(b, at)];
  const startsAfterNumber = (x === '0' || y === '0') && /[1-9]0*$/.test(readDigitsBefore(a, at));
  const difference = compareNumbers(
    startsAfterNumber ? `1${number}` : number,
    startsAfterNumber ? `1${otherNumber}` : otherNumber,
  );
  if (difference !== 0) return difference;
  return number.length - otherNumber.length || compareCodes(x, y);
}

function readDigits(characters: readonly string[], start: number): string {
  const end = characters.findIndex((character, index) => index >= start && !DIGIT.test(character));
  return characters.slice(start, end === -1 ? undefined : end).join('');
}

function readDigitsBefore(characters: readonly string[], end: number): string {
  const start = characters.findLastIndex((character, index) => index < end && !DIGIT.test(character));
  return characters.slice(start + 1, end).join('');
}

function compareNumbers(left: string, right: string): number {
  const [a, b] = [left, right].map((digits) => (/^[0-9]+$/.test(digits) ? BigInt(digits) : 0n)) as [bigint, bigint];
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareCodes(left: string, right: string): number {
  return (left.codePointAt(0) ?? 0) - (right.codePointAt(0) ?? 0);
}
