import { mapConcurrently, type ConcurrencyOptions } from '../content/map-concurrently.ts';
import { DtError, isDtError } from '../domain/errors.ts';
import { tryAll, tryOne, type Outcome } from './collect-failures.ts';

/** A password that was refused so often is not shown again: it must not lock an account. */
const MAX_REFUSALS = 3;

export interface RegistryQuestions<Item> {
  readonly registryOf: (item: Item) => string;
  /** True once the registry has refused a credential that it was shown. */
  readonly refusesCredential: (registry: string) => boolean;
}

/**
 * Asks for every item and returns the outcomes in the order of the items; those of one registry side by side, but for the
 * first, which learns how that registry wants to be talked to. A registry that cannot be reached, or that refuses the
 * credential again and again, is not asked for the rest, which fails as well.
 */
export async function askRegistries<Item, Result>(
  items: readonly Item[],
  { registryOf, refusesCredential }: RegistryQuestions<Item>,
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
      const isLost = 'error' in outcome && isDtError(outcome.error, 'DT_REGISTRY_UNREACHABLE');
      if (!('error' in outcome) || (!isLost && !refusesCredential(registry))) return group.slice(index + 1);
      refusals++;
      if (refusals < MAX_REFUSALS && !isLost) continue;
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

function toUnaskedError(registry: string, error: DtError): DtError {
  if (error.code === 'DT_REGISTRY_UNREACHABLE') return error;
  const message = `${registry} was not asked any more after ${String(MAX_REFUSALS)} refusals`;
  return new DtError(error.code, message, { hints: error.hints });
}
