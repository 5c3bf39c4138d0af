/**
 * Texts by what they were made from: in the making they are shared by all who ask, afterwards the latest are kept as long as
 * their lengths together stay within a bound.
 */
export class KeptResults {
  readonly #maxLength: number;
  readonly #results = new Map<string, Promise<string>>();
  /** Of those that are made, the oldest first. */
  readonly #lengths = new Map<string, number>();
  #totalLength = 0;

  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /** The text of this key; `make` is called if there is none. What it throws is kept. */
  async get(key: string, make: () => Promise<string>): Promise<string> {
    const known = this.#results.get(key);
    if (known !== undefined) return known;
    const result = make();
    this.#results.set(key, result);
    const text = await result;
    this.#lengths.set(key, text.length);
    this.#totalLength += text.length;
    this.#dropOldest();
    return text;
  }

  /** Waits for all that is in the making. */
  async settle(): Promise<void> {
    await Promise.allSettled(this.#results.values());
  }

  #dropOldest(): void {
    for (const [key, length] of this.#lengths) {
      if (this.#totalLength <= this.#maxLength) return;
      this.#lengths.delete(key);
      this.#results.delete(key);
      this.#totalLength -= length;
    }
  }
}
