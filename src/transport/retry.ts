import pRetry from 'p-retry';
import { isDtError } from '../domain/errors.ts';
import { interruptionError } from './http-errors.ts';

export const DEFAULT_RETRIES = 5;
/** What a server may ask to wait; one that asks for more is told to the user instead. */
export const MAX_RETRY_AFTER_MS = 5 * 60_000;
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
 * gets the number of the try, from 1. Throws what the last try threw, or DT_INTERRUPTED.
 */
export async function retryTransient<T>(
  { retries, minDelayMs, maxDelayMs }: RetryPolicy,
  signal: AbortSignal | undefined,
  attempt: (attemptNumber: number) => Promise<T>,
): Promise<T> {
  try {
    return await pRetry(attempt, {
      retries,
      minTimeout: minDelayMs,
      maxTimeout: maxDelayMs,
      randomize: true,
      ...(signal === undefined ? {} : { signal }),
      shouldRetry: ({ error }) => isDtError(error) && error.isTransient,
    });
  } catch (error) {
    throw signal?.aborted === true ? interruptionError(signal) : error;
  }
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
  const timeMs = /^[A-Z][a-z]{2,8},? /.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(timeMs) ? undefined : Math.max(timeMs - nowMs, 0);
}
