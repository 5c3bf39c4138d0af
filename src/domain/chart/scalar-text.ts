/** Significant digits that tell any two 32-bit floats apart. */
const MAX_FLOAT32_DIGITS = 9;

/** Outside these exponents Go's shortest format of a float is written with an exponent. https://pkg.go.dev/strconv#FormatFloat */
const MAX_PLAIN_EXPONENT = 5;
const MIN_PLAIN_EXPONENT = -4;

/**
 * The text that Helm reads where it wants a string and the YAML has another scalar: `1.10` arrives as "1.1", `true` as
 * "true", null as "". Undefined for lists and maps.
 */
export function readScalarText(value: unknown): string | undefined {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value).toString() : formatFloat(value);
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  return undefined;
}

/** As Go's `strconv.FormatFloat(value, 'g', -1, 32)`, which is what Helm's YAML library uses. */
function formatFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  const shortest = shortestFloat32(value);
  const [mantissa = '', exponentText = '0'] = shortest.toExponential().split('e');
  const exponent = Number(exponentText);
  if (exponent >= MIN_PLAIN_EXPONENT && exponent <= MAX_PLAIN_EXPONENT) return String(shortest);
  const sign = exponent < 0 ? '-' : '+';
  return `${mantissa}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

function shortestFloat32(value: number): number {
  for (let digits = 1; digits < MAX_FLOAT32_DIGITS; digits += 1) {
    const rounded = Number(value.toPrecision(digits));
    if (Math.fround(rounded) === Math.fround(value)) return rounded;
  }
  return Number(value.toPrecision(MAX_FLOAT32_DIGITS));
}
