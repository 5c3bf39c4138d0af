import { mapConcurrently, type ConcurrencyOptions } from '../content/map-concurrently.ts';
import { DtError, EXIT_CODES, isDtError } from '../domain/errors.ts';
import { tryAll, tryOne, type Outcome } from './collect-failures.ts';

/** So many refusals in a row, and none of the rest is asked for: a wrong password must not lock an account. */
const MAX_REFUSALS = 3;

/**
 * Asks for every item and returns the outcomes in the order of the items; those of one registry side by side, but for the
 * first, which learns how that registry wants to be talked to. A registry that cannot be reached, or that refuses again and
 * again and has answered nothing, is not asked for the rest, which fails as well.
 */
export async function askRegistries<Item, Result>(
  items: readonly Item[],
  registryOf: (item: Item) => string,
  options: ConcurrencyOptions,
  ask: (item: Item, signal: AbortSignal) => Promise<Result>,
): Promise<Outcome<Result>[]> {
  const outcomes = new Map<Item, Outcome<Result>>();
  const groups = [...Map.groupBy(items, registryOf)];
  const rests = await mapConcurrently(groups, options, async ([registry, group], signal) => {
    let refusals = 0;
    for (const [index, item] of group.entries()) {
      const outcome = await tryOne(signal, async () => ask(item, signal));
      outcomes.set(item, outcome);
      if (!('error' in outcome) || !isRefusal(outcome.error)) return group.slice(index + 1);
      refusals++;
      if (refusals < MAX_REFUSALS && !isDtError(outcome.error, 'DT_REGISTRY_UNREACHABLE')) continue;
      for (const unasked of group.slice(index + 1)) {
        outcomes.set(unasked, { error: toUnaskedError(registry, outcome.error) });
      }
      break;
    }
    return [];
  });
  const rest = rests.flat();
  const answers = await tryAll(rest, options, ask);
  for (const [index, item] of rest.entries()) outcomes.set(item, answers[index] as Outcome<Result>);
  return items.map((item) => outcomes.get(item) as Outcome<Result>);
}

function isRefusal(error: DtError): boolean {
  return error.code === 'DT_REGISTRY_UNREACHABLE' || error.exitCode === EXIT_CODES.authentication;
}

function toUnaskedError(registry: string, error: DtError): DtError {
  if (error.code === 'DT_REGISTRY_UNREACHABLE') return error;
  const message = `${registry} was not asked any more after ${String(MAX_REFUSALS)} refusals`;
  return new DtError(error.code, message, { hints: error.hints });
}
