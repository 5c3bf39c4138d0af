import { formatBytes, formatDuration } from '../domain/format-quantity.ts';
import type { PartProgress, Progress } from '../workflows/ports.ts';
import { RateMeter } from './rate-meter.ts';

/** What a part has done so far. */
export interface PartState {
  readonly title: string;
  readonly totalBytes: number;
  readonly doneBytes: number;
  /** Of these bytes. */
  readonly sentBytes: number;
}

export interface ProgressMeterOptions {
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number;
  readonly onPartStart?: (part: PartState) => void;
  readonly onPartEnd?: (part: PartState) => void;
}

/** Counts what a step reports and words it: status, bytes done, rate, time left. */
export class ProgressMeter implements Progress {
  readonly #options: ProgressMeterOptions;
  readonly #rate: RateMeter;
  #totalBytes = 0;
  #doneBytes = 0;
  #status = '';
  #partCount = 0;
  #endedCount = 0;

  constructor(options: ProgressMeterOptions) {
    this.#options = options;
    this.#rate = new RateMeter(options.now);
  }

  setTotalBytes(sizeBytes: number): void {
    this.#totalBytes = sizeBytes;
  }

  addBytes(sizeBytes: number): void {
    this.#doneBytes += sizeBytes;
    this.#rate.addBytes(sizeBytes);
  }

  skipBytes(sizeBytes: number): void {
    this.#doneBytes += sizeBytes;
  }

  setStatus(text: string): void {
    this.#status = text;
  }

  addPart(title: string, totalBytes: number): PartProgress {
    const part = { title, totalBytes, doneBytes: 0, sentBytes: 0 };
    this.#partCount++;
    const count = (sizeBytes: number, sentBytes: number): void => {
      const wasOpen = part.doneBytes < totalBytes;
      if (part.doneBytes === 0) this.#options.onPartStart?.(part);
      part.doneBytes += sizeBytes;
      part.sentBytes += sentBytes;
      if (!wasOpen || part.doneBytes < totalBytes) return;
      this.#endedCount++;
      this.#options.onPartEnd?.(part);
    };
    return {
      addBytes: (sizeBytes) => {
        this.addBytes(sizeBytes);
        count(sizeBytes, sizeBytes);
      },
      skipBytes: (sizeBytes) => {
        this.skipBytes(sizeBytes);
        count(sizeBytes, 0);
      },
    };
  }

  /**
   * For instance `2 of 6 done, 120.3 MB of 270.1 MB, 80.2 MB/s, 1.9 s left`, or what fits into so many columns of it; empty when
   * nothing is known.
   */
  describe(maxColumns = Number.POSITIVE_INFINITY): string {
    const rate = this.#describeRate();
    const [left] = rate.slice(-1);
    const wordings = [
      [this.#status, this.#describeParts(), this.#describeBytes(), ...rate],
      [this.#describeBytes(), ...rate],
      [this.#describePercentage(), ...rate],
      [this.#describePercentage(), left ?? ''],
      [this.#describePercentage()],
    ].map((parts) => parts.filter((part) => part !== '').join(', '));
    return wordings.find((text) => text.length <= maxColumns) ?? '';
  }

  #describeParts(): string {
    return this.#partCount > 1 ? `${String(this.#endedCount)} of ${String(this.#partCount)} done` : '';
  }

  #describeBytes(): string {
    if (this.#totalBytes > 0) return `${formatBytes(this.#doneBytes)} of ${formatBytes(this.#totalBytes)}`;
    return this.#doneBytes > 0 ? formatBytes(this.#doneBytes) : '';
  }

  #describePercentage(): string {
    if (this.#totalBytes === 0) return this.#describeBytes();
    return `${String(Math.floor(Math.min(this.#doneBytes / this.#totalBytes, 1) * 100))} %`;
  }

  #describeRate(): string[] {
    const bytesPerMs = this.#rate.bytesPerMs();
    if (bytesPerMs === undefined) return [];
    const rate = `${formatBytes(bytesPerMs * 1000)}/s`;
    const leftBytes = this.#totalBytes - this.#doneBytes;
    return leftBytes > 0 ? [rate, `${formatDuration(leftBytes / bytesPerMs)} left`] : [rate];
  }
}
