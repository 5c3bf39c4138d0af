import { findWorstError } from '../domain/error-rules.ts';
import { DtError, errorMessage, type ErrorCode, systemErrorCode } from '../domain/errors.ts';

/** What a system error means when nobody gave it a better sentence. */
const SYSTEM_ERROR_CODES: ReadonlyMap<string, ErrorCode> = new Map([
  ['ENOENT', 'DT_FILE_NOT_FOUND'],
  ['EACCES', 'DT_FILE_UNREADABLE'],
  ['EPERM', 'DT_FILE_UNREADABLE'],
  ['EISDIR', 'DT_FILE_UNREADABLE'],
  ['ENOTDIR', 'DT_FILE_UNREADABLE'],
  ['EMFILE', 'DT_FILE_UNREADABLE'],
  ['ENOSPC', 'DT_DISK_FULL'],
  ['EDQUOT', 'DT_DISK_FULL'],
  ['EROFS', 'DT_OUTPUT_FAILED'],
]);

/**
 * The one error to show for anything that was thrown. An interruption wins over what it caused; of several failures the
 * worst class wins; a failure that nobody foresaw is a bug of ours (`DT_BUG`).
 */
export function toDtError(thrown: unknown, isInterrupted = false): DtError {
  if (isInterrupted) {
    return new DtError('DT_INTERRUPTED', 'interrupted before the work was done', {
      detail: 'Run the same command again to go on: what is finished is not moved a second time.',
      cause: thrown,
    });
  }
  if (thrown instanceof DtError) return thrown;
  if (thrown instanceof AggregateError) return toWorstError(thrown);
  const code = SYSTEM_ERROR_CODES.get(systemErrorCode(thrown) ?? '');
  if (code !== undefined) return new DtError(code, errorMessage(thrown), { cause: thrown });
  return new DtError('DT_BUG', `unexpected failure: ${describeThrown(thrown)}`, { cause: thrown });
}

function toWorstError(aggregate: AggregateError): DtError {
  const errors = aggregate.errors.map((error: unknown) => toDtError(error));
  const worst = findWorstError(errors);
  if (worst === undefined) return new DtError('DT_BUG', errorMessage(aggregate), { cause: aggregate });
  if (errors.length === 1) return worst;
  return new DtError(worst.code, worst.message, {
    hints: worst.hints,
    detail: [worst.detail, `${String(errors.length)} operations failed; this is the worst of them.`]
      .filter(Boolean)
      .join(' '),
    ...(worst.side === undefined ? {} : { side: worst.side }),
    cause: aggregate,
  });
}

function describeThrown(thrown: unknown): string {
  return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
}
