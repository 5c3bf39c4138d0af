/** Finds the lines of a text. The text is gone through once, with the first question. */
export class LineIndex {
  readonly #text: string;
  /** Where every line begins. */
  #starts: readonly number[] | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  /** The 1-based line of an offset; that of a line feed is the line which it ends. */
  lineOf(offset: number): number {
    this.#starts ??= findLineStarts(this.#text);
    let [low, high] = [0, this.#starts.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#starts[middle] ?? Infinity) <= offset) low = middle + 1;
      else high = middle;
    }
    return Math.max(low, 1);
  }
}

function findLineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}
