import pRetry from 'p-retry';
import { copyError } from '../../domain/error-rules.ts';
import { isDtError, type DtError } from '../../domain/errors.ts';
import { interruptionError } from '../../domain/interruption.ts';
import { isConnectFailure } from './http-errors.ts';

export const DEFAULT_RETRIES = 5;
/** What a server may ask to wait; one that asks for more is told to the user instead. */
export const MAX_RETRY_AFTER_MS = 5 * 60_000;
/** A host that has never answered is more likely misspelt than busy. */
const MAX_STRANGER_TRIES = 3;
const MIN_DELAY_MS = 250;
const MAX_DELAY_MS = 30_000;
const TRANSIENT_STATUSES: ReadonlySet<number> = new Set([408, 425, 429]);
const FINAL_SERVER_STATUSES: ReadonlySet<number> = new Set([501, 505]);

export interface RetryPolicy {
  /** Tries after the first one. */
  readonly retries: number;
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
}

export function createRetryPolicy(retries: number = DEFAULT_RETRIES): RetryPolicy {
  return { retries, minDelayMs: MIN_DELAY_MS, maxDelayMs: MAX_DELAY_MS };
}

/**
 * Runs `attempt` until it does not throw a transient `DtError`, with a delay that doubles and varies between tries. `attempt`
 * gets the number of the try, from 1. Throws what the last try threw, not transient any more, or DT_INTERRUPTED.
 */
export async function retryTransient<T>(
  { retries, minDelayMs, maxDelayMs }: RetryPolicy,
  signal: AbortSignal | undefined,
  attempt: (tryNumber: number) => Promise<T>,
): Promise<T> {
  let tries = 0;
  try {
    return await pRetry(
      async (tryNumber) => {
        tries = tryNumber;
        return attempt(tryNumber);
      },
      {
        retries,
        minTimeout: minDelayMs,
        maxTimeout: maxDelayMs,
        randomize: true,
        ...(signal === undefined ? {} : { signal }),
        shouldRetry: ({ error }) => isTransientError(error),
      },
    );
  } catch (error) {
    throw signal?.aborted === true ? interruptionError(signal) : toFinalError(error, tries);
  }
}

/** True for a failure after which the same request may succeed, and which nobody has tried again yet. */
export function isTransientError(error: unknown): error is DtError {
  return isDtError(error) && error.isTransient;
}

/** The error of something that is not tried again. Any other value stays as it is. */
export function toFinalError<T>(error: T, tries = 1): T | DtError {
  if (!isTransientError(error)) return error;
  const message = tries === 1 ? error.message : `${error.message} (tried ${String(tries)} times)`;
  return copyError(error, { message, isTransient: false });
}

/** After a few tries, the final form of a failure to connect to a host that has never answered: it may not be there at all. */
export function giveUpStranger(error: unknown, tryNumber: number): unknown {
  return tryNumber >= MAX_STRANGER_TRIES && isConnectFailure(error) ? toFinalError(error, tryNumber) : error;
}

/** True for an answer that may be another one soon: 408, 425, 429 and what a server says of its own state. */
export function isTransientStatus(status: number): boolean {
  return TRANSIENT_STATUSES.has(status) || (status >= 500 && !FINAL_SERVER_STATUSES.has(status));
}

/**
 * Milliseconds to wait, from seconds or a date; undefined for anything else. A date in the past is 0.
 * https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3
 */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  const text = header?.trim() ?? '';
  if (/^[0-9]{1,9}$/.test(text)) return Number(text) * 1000;
  // Only what starts like a date: Date.parse takes nearly any text with a number.
  const timeMs = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(timeMs) ? undefined : Math.max(timeMs - nowMs, 0);
}
