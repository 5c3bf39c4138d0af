/** Plain scalars that are no text, apart from numbers and times. */
const SPECIAL_SCALARS: ReadonlySet<string> = new Set(
  ['', '~', 'null', 'true', 'false', '.nan', '.inf', '+.inf', '-.inf'].flatMap((word) => [
    word,
    word.toUpperCase(),
    word.replace(/[a-z]/, (letter) => letter.toUpperCase()),
    word === '.nan' ? '.NaN' : word,
  ]),
);

const FLOAT_PATTERN = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:e[-+]?[0-9]+)?$/i;
// Of the numbers with a prefix, octal 0777 needs no entry: it is a float already.
const PREFIXED_INTEGER_PATTERN = /^([-+]?)(0x[0-9a-f]+|0o[0-7]+|0b[01]+)$/i;
const TIME_PATTERN =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:(?:[Tt](\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,]\d+)?(?:Z|[-+](\d{2}):(\d{2})))|(?: (\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,]\d+)?))?$/;

const MAX_INT64 = 2n ** 63n - 1n;
const MAX_UINT64 = 2n ** 64n - 1n;

/** True if Go's yaml.v3 reads the plain scalar as a text and not as null, boolean, number or time. */
export function isGoYamlText(scalar: string): boolean {
  if (SPECIAL_SCALARS.has(scalar)) return false;
  if (/^\.[0-9]/.test(scalar)) return !isFloat(scalar);
  if (!/^[-+0-9]/.test(scalar)) return true;
  if (isTime(scalar)) return false;
  const plain = scalar.replaceAll('_', '');
  return !isPrefixedInteger(plain) && !isFloat(plain);
}

function isFloat(text: string): boolean {
  return FLOAT_PATTERN.test(text) && Number.isFinite(Number(text));
}

function isPrefixedInteger(text: string): boolean {
  // The Go library reads a sign behind these prefixes, too.
  const [, sign, digits] = PREFIXED_INTEGER_PATTERN.exec(text.replace(/^(0[bo])[-+]/, '$1')) ?? [];
  if (digits === undefined) return false;
  const value = BigInt(digits.toLowerCase());
  if (sign === '') return value <= MAX_UINT64;
  return value <= (sign === '-' ? MAX_INT64 + 1n : MAX_INT64);
}

function isTime(text: string): boolean {
  const match = TIME_PATTERN.exec(text);
  if (match === null) return false;
  const [year, month, day] = [match[1], match[2], match[3]].map(Number) as [number, number, number];
  const hour = Number(match[4] ?? match[9] ?? 0);
  const minute = Number(match[5] ?? match[10] ?? 0);
  const second = Number(match[6] ?? match[11] ?? 0);
  const isZone = Number(match[7] ?? 0) <= 24 && Number(match[8] ?? 0) < 60;
  return isDate(year, month, day) && hour < 24 && minute < 60 && second < 60 && isZone;
}

function isDate(year: number, month: number, day: number): boolean {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  return month >= 1 && day >= 1 && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
}
