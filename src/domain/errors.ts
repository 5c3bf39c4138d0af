/** Exit codes of the program, by class of failure. */
export const EXIT_CODES = {
  ok: 0,
  other: 1,
  usage: 2,
  verification: 3,
  authentication: 4,
  registry: 5,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];

/** Every stable error code, with the exit code of its class. A code is never renamed: scripts match on it. */
const ERROR_EXIT_CODES = {
  DT_USAGE: EXIT_CODES.usage,
  DT_BAD_REFERENCE: EXIT_CODES.usage,
  DT_BAD_PREFIX: EXIT_CODES.usage,
  DT_BAD_PLATFORM: EXIT_CODES.usage,
  DT_FILE_NOT_FOUND: EXIT_CODES.other,
  DT_FILE_UNREADABLE: EXIT_CODES.other,
  DT_OUTPUT_FAILED: EXIT_CODES.other,
  DT_OUTPUT_BUSY: EXIT_CODES.other,
  DT_DISK_FULL: EXIT_CODES.other,
  DT_CHART_INVALID: EXIT_CODES.other,
  DT_CHART_NO_IMAGES: EXIT_CODES.other,
  DT_CHART_TOO_LARGE: EXIT_CODES.other,
  DT_CHART_VERSION_NOT_FOUND: EXIT_CODES.registry,
  DT_DEPENDENCY_MISSING: EXIT_CODES.other,
  DT_YAML_INVALID: EXIT_CODES.other,
  DT_ANNOTATION_INVALID: EXIT_CODES.other,
  DT_PLATFORM_NOT_FOUND: EXIT_CODES.other,
  DT_RELOCATION_COLLISION: EXIT_CODES.other,
  DT_RELOCATION_FAILED: EXIT_CODES.other,
  DT_CONFIG_INVALID: EXIT_CODES.other,
  DT_REPOSITORY_UNKNOWN: EXIT_CODES.other,
  DT_LOCK_INVALID: EXIT_CODES.verification,
  DT_LOCK_MISMATCH: EXIT_CODES.verification,
  DT_MANIFEST_INVALID: EXIT_CODES.verification,
  DT_DIGEST_MISMATCH: EXIT_CODES.verification,
  DT_SIZE_MISMATCH: EXIT_CODES.verification,
  DT_WRAP_INVALID: EXIT_CODES.verification,
  DT_WRAP_TRUNCATED: EXIT_CODES.verification,
  DT_WRAP_UNSUPPORTED: EXIT_CODES.verification,
  DT_WRAP_INCOMPLETE: EXIT_CODES.verification,
  DT_UNSAFE_ENTRY: EXIT_CODES.verification,
  DT_LIMIT_EXCEEDED: EXIT_CODES.verification,
  DT_AUTH_REQUIRED: EXIT_CODES.authentication,
  DT_AUTH_DENIED: EXIT_CODES.authentication,
  DT_CREDENTIAL_HELPER_FAILED: EXIT_CODES.authentication,
  DT_NOT_FOUND: EXIT_CODES.registry,
  DT_REGISTRY_UNREACHABLE: EXIT_CODES.registry,
  DT_REGISTRY_ERROR: EXIT_CODES.registry,
  DT_TAG_EXISTS: EXIT_CODES.registry,
  DT_INTERRUPTED: EXIT_CODES.interrupted,
  DT_BUG: EXIT_CODES.other,
} as const satisfies Record<string, ExitCode>;

export type ErrorCode = keyof typeof ERROR_EXIT_CODES;

/** Which end of a copy. */
export type Side = 'source' | 'destination';

/** One of several images (or charts) that a command could not do, named as the chart names it. */
export interface ImageFailure {
  readonly image: string;
  readonly error: DtError;
}

export interface DtErrorOptions {
  /** Up to two commands or actions to try; `{bin}` stands for `helm dt` or `dt`. */
  readonly hints?: readonly string[];
  /** One fact that the user can check. */
  readonly detail?: string;
  /** Which side of a copy failed. */
  readonly side?: Side | undefined;
  /** True if the same request may succeed when it is sent again. */
  readonly isTransient?: boolean;
  /** What failed one by one, where a command went on without it. */
  readonly failures?: readonly ImageFailure[];
  readonly cause?: unknown;
}

/** The only error that is thrown on purpose: a stable code, one sentence, and what to try. Carries no UI types. */
export class DtError extends Error {
  override readonly name = 'DtError';
  readonly code: ErrorCode;
  readonly hints: readonly string[];
  readonly detail: string | undefined;
  readonly side: Side | undefined;
  readonly isTransient: boolean;
  readonly failures: readonly ImageFailure[];

  constructor(code: ErrorCode, message: string, options: DtErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hints = options.hints ?? [];
    this.detail = options.detail;
    this.side = options.side;
    this.isTransient = options.isTransient ?? false;
    this.failures = options.failures ?? [];
  }

  get exitCode(): ExitCode {
    return ERROR_EXIT_CODES[this.code];
  }
}

/** True for a `DtError`, with one of the codes if any are given. */
export function isDtError(error: unknown, ...codes: readonly ErrorCode[]): error is DtError {
  return error instanceof DtError && (codes.length === 0 || codes.includes(error.code));
}

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
  const { code, hints, detail, side, isTransient, failures, cause, stack } = error;
  const same = { hints, side, isTransient, failures, cause, ...(detail === undefined ? {} : { detail }) };
  const copy = new DtError(code, message, { ...same, ...changes });
  if (stack !== undefined) copy.stack = stack;
  return copy;
}

/** The `code` of a Node.js system error (`ENOENT`, `ENOSPC`, …), or undefined. */
export function systemErrorCode(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** A one-line text of any thrown value. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Marks a branch that the types rule out. Reaching it is a bug of ours. */
export function assertNever(value: never): never {
  throw new TypeError(`unexpected value: ${JSON.stringify(value)}`);
}
