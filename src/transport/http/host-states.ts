import { setTimeout as sleep } from 'node:timers/promises';
import { isTransientStatus, MAX_RETRY_AFTER_MS, parseRetryAfter } from './retry.ts';

const NOTICEABLE_WAIT_MS = 2_000;

/** What is known of hosts in this run: whether they ever answered, and until when they want to be left alone. */
export class HostStates {
  readonly #pausedUntilMs = new Map<string, number>();
  readonly #onPause: ((host: string, waitMs: number) => void) | undefined;

  /** `onPause` hears of every wait that somebody would notice. */
  constructor(onPause?: (host: string, waitMs: number) => void) {
    this.#onPause = onPause;
  }

  hasAnswered(host: string): boolean {
    return this.#pausedUntilMs.has(host);
  }

  /** Takes in an answer with its `Retry-After`. */
  noteAnswer(host: string, status: number, retryAfter: string | undefined): void {
    const nowMs = Date.now();
    const waitMs = isTransientStatus(status) ? (parseRetryAfter(retryAfter, nowMs) ?? 0) : 0;
    const addedMs = nowMs + waitMs - Math.max(this.#pausedUntilMs.get(host) ?? 0, nowMs);
    if (addedMs >= NOTICEABLE_WAIT_MS && waitMs <= MAX_RETRY_AFTER_MS) this.#onPause?.(host, waitMs);
    this.#pausedUntilMs.set(host, Math.max(this.#pausedUntilMs.get(host) ?? 0, nowMs + waitMs));
  }

  /** False also for a host that wants to be left alone for too long. */
  mayAnswerOtherwise(host: string, status: number): boolean {
    return isTransientStatus(status) && this.#waitMs(host) <= MAX_RETRY_AFTER_MS;
  }

  /** Resolves when the host may be asked again. */
  async waitFor(host: string, signal: AbortSignal | undefined): Promise<void> {
    const waitMs = this.#waitMs(host);
    if (waitMs > 0 && waitMs <= MAX_RETRY_AFTER_MS) {
      await sleep(waitMs, undefined, signal === undefined ? {} : { signal });
    }
  }

  #waitMs(host: string): number {
    return (this.#pausedUntilMs.get(host) ?? 0) - Date.now();
  }
}
