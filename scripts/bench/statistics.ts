export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** The figures of a series. Throws for an empty one. */
export function summarize(values: readonly number[]): Summary {
  const sorted = values.toSorted((left, right) => left - right);
  const [min, max] = [sorted.at(0), sorted.at(-1)];
  const lower = sorted.at(Math.floor((sorted.length - 1) / 2));
  const upper = sorted.at(Math.ceil((sorted.length - 1) / 2));
  if (min === undefined || max === undefined || lower === undefined || upper === undefined) {
    throw new RangeError('a series needs a value');
  }
  return { median: (lower + upper) / 2, min, max };
}

/** Ratios pair by pair: runs that are neighbours in time see the same machine. */
export function summarizeRatios(values: readonly number[], baseline: readonly number[]): Summary {
  return summarize(values.map((value, index) => value / (baseline[index] ?? Number.NaN)));
}

/** Differences pair by pair, for the same reason. */
export function summarizeDifferences(values: readonly number[], baseline: readonly number[]): Summary {
  return summarize(values.map((value, index) => value - (baseline[index] ?? Number.NaN)));
}
