import { basename } from 'node:path';
import { copyError } from '../domain/error-rules.ts';
import { EXIT_CODES, isDtError } from '../domain/errors.ts';
import type { TocMember } from '../domain/wrap/table-of-contents.ts';
import type { WrapPart } from './wrap-file.ts';

/** Adds to a finding which parts the member lies in. Anything else, and all of a wrap in one file, stays as it is. */
export function nameParts(
  error: unknown,
  path: string,
  parts: readonly WrapPart[],
  member: Pick<TocMember, 'offset' | 'length'> | undefined,
): unknown {
  if (member === undefined || !isDtError(error) || error.exitCode !== EXIT_CODES.verification) return error;
  const end = member.offset + member.length;
  const names = parts
    .filter(({ start, length }) => start < end && member.offset < start + length)
    .map((part) => basename(part.path));
  if (names.length === 0) return error;
  return copyError(error, {
    detail: `These bytes lie in ${names.join(', ')}.`,
    hints: [`{bin} verify ${path} to see which parts are damaged, and copy them again`],
  });
}
