import {
  DtError,
  EXIT_CODES,
  systemErrorCode,
  type DtErrorOptions,
  type ErrorCode,
  type ExitCode,
  type Side,
} from './errors.ts';

/** Classes of failure from the worst to the mildest. */
const WORST_FIRST: readonly ExitCode[] = [
  EXIT_CODES.interrupted,
  EXIT_CODES.verification,
  EXIT_CODES.authentication,
  EXIT_CODES.registry,
  EXIT_CODES.other,
  EXIT_CODES.usage,
];

/** The error of the worst class, which decides the exit code; the first of several. Undefined if there is none. */
export function findWorstError(errors: readonly DtError[]): DtError | undefined {
  return errors.toSorted((a, b) => WORST_FIRST.indexOf(a.exitCode) - WORST_FIRST.indexOf(b.exitCode))[0];
}

/** No space left, or none for this user. */
const FULL_DISK_CODES: readonly (string | undefined)[] = ['ENOSPC', 'EDQUOT'];

/** What a system error means where a file was to be written. */
export function outputErrorCode(error: unknown): 'DT_DISK_FULL' | 'DT_OUTPUT_FAILED' {
  return FULL_DISK_CODES.includes(systemErrorCode(error)) ? 'DT_DISK_FULL' : 'DT_OUTPUT_FAILED';
}

/** Whatever else there is to do would fail in the same way, or must not be begun. */
const FATAL_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'DT_INTERRUPTED',
  'DT_DISK_FULL',
  'DT_OUTPUT_FAILED',
  'DT_OUTPUT_BUSY',
  'DT_FILE_NOT_FOUND',
  'DT_FILE_UNREADABLE',
  'DT_CONFIG_INVALID',
  'DT_BUG',
]);

/** True if a failure of one image ends the whole command: an interruption, a full disk, anything that nobody foresaw. */
export function isFatal(error: unknown): boolean {
  return !(error instanceof DtError) || FATAL_CODES.has(error.code);
}

/**
 * The same error with the side that it is about, for a copy that talks to registries on one side only. Failures inside get
 * theirs too, where what is not what its digest says is always the source. A side that is known stays.
 */
export function withSide(error: DtError, side: Side): DtError {
  const failures = error.failures.map(({ image, error: inner }) => ({
    image,
    error: changeSide(inner, side, 'source'),
  }));
  if (failures.length === 0) return changeSide(error, side, undefined);
  const worst = findWorstError(failures.map((failure) => failure.error));
  return copyError(error, { failures, side: error.side ?? worst?.side });
}

function changeSide(error: DtError, remoteSide: Side, verificationSide: Side | undefined): DtError {
  const { exitCode } = error;
  const isRemote = exitCode === EXIT_CODES.registry || exitCode === EXIT_CODES.authentication;
  const side = isRemote ? remoteSide : exitCode === EXIT_CODES.verification ? verificationSide : undefined;
  return error.side !== undefined || side === undefined ? error : copyError(error, { side });
}

/** The same error with some of its facts changed. */
export function copyError(
  error: DtError,
  { message = error.message, ...changes }: Omit<DtErrorOptions, 'cause'> & { readonly message?: string },
): DtError {
  const { code, hints, detail, side, isTransient, isRefusal, failures, cause, stack } = error;
  const same = { hints, side, isTransient, isRefusal, failures, cause, ...(detail === undefined ? {} : { detail }) };
  const copy = new DtError(code, message, { ...same, ...changes });
  if (stack !== undefined) copy.stack = stack;
  return copy;
}
