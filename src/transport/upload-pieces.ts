/** The largest piece that is tried first where a blob cannot go as a whole. */
const FIRST_PIECE_BYTES = 64 * 1024 * 1024;
/** A piece that is refused is followed by one of this part of it. */
const PIECE_DIVISOR = 4;
/** A registry that takes no piece of this size takes none. */
const MIN_PIECE_BYTES = 256 * 1024;
/** One break says nothing about the size of what was sent. */
const MAX_BREAKS = 1;

/** How many bytes go with one request of an upload. */
export class UploadPieces {
  #sizeBytes: number;
  #minBytes = MIN_PIECE_BYTES;
  /** Connections that broke without a piece coming through. */
  #breaks = 0;

  /** `largestBytes` is the most that the registry is known to take. */
  constructor(largestBytes: number) {
    this.#sizeBytes = largestBytes;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** Takes in the least that the registry takes, but for the last piece. */
  requireAtLeast(minBytes: number): void {
    this.#minBytes = Math.max(minBytes, MIN_PIECE_BYTES);
    this.#sizeBytes = Math.max(this.#sizeBytes, this.#minBytes);
  }

  /** Makes the pieces smaller than one that was refused. Returns false if there is no smaller one. */
  refuse(refusedBytes: number): boolean {
    if (refusedBytes <= this.#minBytes) return false;
    this.#sizeBytes = this.#smallerThan(refusedBytes);
    return true;
  }

  /** A link that breaks under a large body may carry a small one. */
  noteBreak(sentBytes: number): void {
    this.#breaks++;
    if (this.#breaks > MAX_BREAKS) this.#sizeBytes = this.#smallerThan(Math.min(this.#sizeBytes, sentBytes));
  }

  noteProgress(): void {
    this.#breaks = 0;
  }

  #smallerThan(sizeBytes: number): number {
    return Math.max(Math.min(Math.floor(sizeBytes / PIECE_DIVISOR), FIRST_PIECE_BYTES), this.#minBytes);
  }
}
