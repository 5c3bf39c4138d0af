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
export const ERROR_EXIT_CODES = {
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
  DT_CHART_NOT_RENDERED: EXIT_CODES.other,
  DT_CHART_TOO_LARGE: EXIT_CODES.other,
  DT_CHART_VERSION_NOT_FOUND: EXIT_CODES.registry,
  DT_DEPENDENCY_MISSING: EXIT_CODES.other,
  DT_YAML_INVALID: EXIT_CODES.other,
  DT_ANNOTATION_INVALID: EXIT_CODES.other,
  DT_PLATFORM_NOT_FOUND: EXIT_CODES.other,
  DT_RELOCATION_COLLISION: EXIT_CODES.other,
  DT_RELOCATION_FAILED: EXIT_CODES.other,
  DT_HELM_UNUSABLE: EXIT_CODES.other,
  DT_CONFIG_INVALID: EXIT_CODES.other,
  DT_KEY_INVALID: EXIT_CODES.other,
  DT_TRUSTED_ROOT_INVALID: EXIT_CODES.other,
  DT_REPOSITORY_UNKNOWN: EXIT_CODES.other,
  DT_PLUGIN_INVALID: EXIT_CODES.other,
  DT_LOCK_INVALID: EXIT_CODES.verification,
  DT_LOCK_MISMATCH: EXIT_CODES.verification,
  DT_MANIFEST_INVALID: EXIT_CODES.verification,
  DT_DIGEST_MISMATCH: EXIT_CODES.verification,
  DT_SIZE_MISMATCH: EXIT_CODES.verification,
  DT_WRAP_INVALID: EXIT_CODES.verification,
  DT_WRAP_TRUNCATED: EXIT_CODES.verification,
  DT_WRAP_UNSUPPORTED: EXIT_CODES.verification,
  DT_WRAP_INCOMPLETE: EXIT_CODES.verification,
  DT_BASE_MISSING: EXIT_CODES.verification,
  DT_INVENTORY_INVALID: EXIT_CODES.verification,
  DT_SIGNATURE_INVALID: EXIT_CODES.verification,
  DT_SIGNATURE_MISSING: EXIT_CODES.verification,
  DT_UNSAFE_ENTRY: EXIT_CODES.verification,
  DT_LIMIT_EXCEEDED: EXIT_CODES.verification,
  DT_AUTH_REQUIRED: EXIT_CODES.authentication,
  DT_AUTH_DENIED: EXIT_CODES.authentication,
  DT_REALM_REFUSED: EXIT_CODES.authentication,
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

/** One of several images (or charts) that a command could not do, named as the chart names it; or one thing that is wrong with a wrap. */
export interface ImageFailure {
  readonly image: string;
  readonly error: DtError;
  /** Of a wrap: the entry that is damaged, what it should be, and all images that need it. */
  readonly entry?: string;
  readonly digest?: string;
  readonly images?: readonly string[];
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
  /** True if a registry does not take what it was sent, and says so (400, 404, 422, …): it may take something else. */
  readonly isRefusal?: boolean;
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
  readonly isRefusal: boolean;
  readonly failures: readonly ImageFailure[];

  constructor(code: ErrorCode, message: string, options: DtErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hints = options.hints ?? [];
    this.detail = options.detail;
    this.side = options.side;
    this.isTransient = options.isTransient ?? false;
    this.isRefusal = options.isRefusal ?? false;
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
