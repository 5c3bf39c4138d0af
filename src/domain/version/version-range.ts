import { satisfies, validRange, type SemVer } from 'semver';
import { DtError } from '../errors.ts';

const MAX_RANGE_LENGTH = 512;

/** A test for versions, made from a range text. */
export type VersionRange = (version: SemVer) => boolean;

interface Comparator {
  readonly isNegated: boolean;
  /** In the syntax of the library. */
  readonly range: string;
}

const VERSION = String.raw`v?(?:\d+|[xX*])(?:\.(?:\d+|[xX*])){0,2}(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?`;
const COMPARATOR_PATTERN = new RegExp(String.raw`^\s*(=>|=<|>=|<=|!=|~>|[=><~^])?\s*(${VERSION})\s*(?:,|(?=\s)|$)`);
const HYPHEN_PATTERN = new RegExp(String.raw`(${VERSION})\s+-\s+(${VERSION})`, 'g');
const PRE_RELEASE_PATTERN = /^[^-+]*-/;

/**
 * Parses a range as Helm does: comparators joined by blank or comma (and), groups by `||` (or), `1.2`, `1.x`, `^`, `~`,
 * `!=`, `1 - 2`. A group takes pre-releases only if one of its versions is a pre-release. Throws DT_USAGE.
 * https://github.com/Masterminds/semver/blob/v3.3.1/README.md#checking-version-constraints
 */
export function parseVersionRange(text: string): VersionRange {
  if (text.length > MAX_RANGE_LENGTH) throw rejectRange(text);
  const groups = text.split('||').map((group) => parseGroup(group, text));
  return (version) => groups.some((isMatch) => isMatch(version));
}

function parseGroup(group: string, text: string): VersionRange {
  const comparators = parseComparators(group.replace(HYPHEN_PATTERN, '>=$1 <=$2'), text);
  const includePrerelease = comparators.some(({ range }) => PRE_RELEASE_PATTERN.test(range));
  return (version) =>
    (includePrerelease || version.prerelease.length === 0) &&
    comparators.every(({ range, isNegated }) => satisfies(version, range, { includePrerelease }) !== isNegated);
}

function parseComparators(group: string, text: string): Comparator[] {
  const comparators: Comparator[] = [];
  let rest = group;
  while (rest.trim() !== '') {
    const match = COMPARATOR_PATTERN.exec(rest);
    const [whole = '', operator = '', version = ''] = match ?? [];
    if (match === null) throw rejectRange(text);
    comparators.push(toComparator(operator, version, text));
    rest = rest.slice(whole.length);
  }
  if (comparators.length === 0) throw rejectRange(text);
  return comparators;
}

function toComparator(operator: string, version: string, text: string): Comparator {
  const isNegated = operator === '!=';
  // The library writes these operators the other way round, and has no "!=".
  const known = operator.replace('=>', '>=').replace('=<', '<=').replace('!=', '').replace('~>', '~');
  const range = known + version;
  if (validRange(range) === null) throw rejectRange(text);
  return { isNegated, range };
}

function rejectRange(text: string): DtError {
  return new DtError('DT_USAGE', `"${text.slice(0, 100)}" is neither a version nor a range of versions`);
}
