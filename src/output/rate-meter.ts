/** A rate from less time than this says nothing yet. */
const MIN_RATE_MS = 500;
/** The rate is that of the last ten seconds: what was fast at the start says nothing about the end. */
const WINDOW_MS = 10_000;
const SAMPLE_MS = 1000;

interface Sample {
  readonly atMs: number;
  readonly totalBytes: number;
}

/** How fast bytes move at the moment. */
export class RateMeter {
  readonly #now: () => number;
  readonly #samples: [Sample, ...Sample[]];
  #totalBytes = 0;
  #lastMs: number;

  constructor(now: () => number) {
    this.#now = now;
    this.#lastMs = now();
    this.#samples = [{ atMs: this.#lastMs, totalBytes: 0 }];
  }

  addBytes(sizeBytes: number): void {
    this.#sample(this.#now());
    this.#totalBytes += sizeBytes;
  }

  /** Undefined while nothing moves, or nobody can tell yet. */
  bytesPerMs(): number | undefined {
    const nowMs = this.#now();
    this.#sample(nowMs);
    const [oldest] = this.#samples;
    const elapsedMs = nowMs - oldest.atMs;
    const movedBytes = this.#totalBytes - oldest.totalBytes;
    return elapsedMs < MIN_RATE_MS || movedBytes === 0 ? undefined : movedBytes / elapsedMs;
  }

  #sample(nowMs: number): void {
    if (nowMs - this.#lastMs < SAMPLE_MS) return;
    this.#lastMs = nowMs;
    this.#samples.push({ atMs: nowMs, totalBytes: this.#totalBytes });
    // The newest sample that is older than the window stands for its start.
    while ((this.#samples[1]?.atMs ?? nowMs) <= nowMs - WINDOW_MS) this.#samples.shift();
  }
}
