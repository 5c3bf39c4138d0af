import { formatBytes, formatDuration } from '../domain/format-quantity.ts';
import type { Progress } from '../workflows/ports.ts';

/** A rate from less time than this says nothing yet. */
const MIN_RATE_MS = 500;

/** Counts what a step reports and words it: status, bytes done, rate, time left. */
export class ProgressMeter implements Progress {
  readonly #now: () => number;
  readonly #startMs: number;
  #totalBytes = 0;
  #doneBytes = 0;
  #status = '';

  /** `now` gives milliseconds of a clock that never goes back. */
  constructor(now: () => number) {
    this.#now = now;
    this.#startMs = now();
  }

  setTotalBytes(sizeBytes: number): void {
    this.#totalBytes = sizeBytes;
  }

  addBytes(sizeBytes: number): void {
    this.#doneBytes += sizeBytes;
  }

  setStatus(text: string): void {
    this.#status = text;
  }

  /** For instance `nginx linux/amd64, 120.3 MB of 270.1 MB, 80.2 MB/s, 1.9 s left`; empty when nothing is known. */
  describe(): string {
    return [this.#status, this.#describeBytes(), ...this.#describeRate()].filter((part) => part !== '').join(', ');
  }

  #describeBytes(): string {
    if (this.#totalBytes > 0) return `${formatBytes(this.#doneBytes)} of ${formatBytes(this.#totalBytes)}`;
    return this.#doneBytes > 0 ? formatBytes(this.#doneBytes) : '';
  }

  #describeRate(): string[] {
    const elapsedMs = this.#now() - this.#startMs;
    if (this.#doneBytes === 0 || elapsedMs < MIN_RATE_MS) return [];
    const bytesPerMs = this.#doneBytes / elapsedMs;
    const rate = `${formatBytes(bytesPerMs * 1000)}/s`;
    const leftBytes = this.#totalBytes - this.#doneBytes;
    return leftBytes > 0 ? [rate, `${formatDuration(leftBytes / bytesPerMs)} left`] : [rate];
  }
}
