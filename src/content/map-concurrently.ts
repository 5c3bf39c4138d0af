export interface ConcurrencyOptions {
  readonly concurrency: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `work` over the items, at most `concurrency` at a time, and returns the results in the order of the items.
 * The first failure aborts the signal of the others and is thrown once all of them have ended.
 */
export async function mapConcurrently<Item, Result>(
  items: readonly Item[],
  options: ConcurrencyOptions,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
): Promise<Result[]> {
  const siblings = new AbortController();
  const signal = options.signal === undefined ? siblings.signal : AbortSignal.any([options.signal, siblings.signal]);
  const results = new Array<Result>(items.length);
  let next = 0;
  let failure: { error: unknown } | undefined;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length && !signal.aborted; index = next++) {
      try {
        results[index] = await work(items[index] as Item, signal);
      } catch (error) {
        failure ??= { error };
        siblings.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(options.concurrency, items.length) }, worker));
  if (failure !== undefined) throw failure.error;
  options.signal?.throwIfAborted();
  return results;
}
