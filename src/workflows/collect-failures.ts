import { mapConcurrently, type ConcurrencyOptions } from '../content/map-concurrently.ts';
import { copyError, findWorstError, isFatal } from '../domain/error-rules.ts';
import { DtError, type ImageFailure } from '../domain/errors.ts';
import { formatCount } from '../domain/format-quantity.ts';

/** What became of one of several items. */
export type Outcome<Result> = { readonly result: Result } | { readonly error: DtError };

/** Runs `work` over the items, many side by side, and keeps their failures apart. Throws what is fatal (`isFatal`). */
export async function tryAll<Item, Result>(
  items: readonly Item[],
  options: ConcurrencyOptions,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
): Promise<Outcome<Result>[]> {
  return mapConcurrently(items, options, async (item, signal) => tryOne(signal, async () => work(item, signal)));
}

/** The same for one piece of work. */
export async function tryOne<Result>(
  signal: AbortSignal | undefined,
  work: () => Promise<Result>,
): Promise<Outcome<Result>> {
  try {
    return { result: await work() };
  } catch (error) {
    if (signal?.aborted === true || isFatal(error)) throw error;
    return { error: error as DtError };
  }
}

/** The failures among the outcomes of items, each under the name of its image; an image that failed twice is named once. */
export function listFailures<Item>(
  items: readonly Item[],
  outcomes: readonly (Outcome<unknown> | undefined)[],
  imageOf: (item: Item) => string,
): ImageFailure[] {
  const failures = new Map<string, ImageFailure>();
  for (const [index, item] of items.entries()) {
    const outcome = outcomes[index];
    const image = imageOf(item);
    if (outcome !== undefined && 'error' in outcome && !failures.has(image)) {
      failures.set(image, { image, error: outcome.error });
    }
  }
  return [...failures.values()];
}

/** The outcome of work that tells its failure, if there was one, in another way. */
export function toOutcome(error: DtError | undefined): Outcome<undefined> {
  return error === undefined ? { result: undefined } : { error };
}

/** The first error, if everything failed. */
export function findTotalFailure(outcomes: readonly Outcome<unknown>[]): DtError | undefined {
  const errors = outcomes.flatMap((outcome) => ('error' in outcome ? [outcome.error] : []));
  return errors.length === outcomes.length ? errors[0] : undefined;
}

export interface FailedWork {
  /** How many images there were. */
  readonly totalCount: number;
  /** What was to be done: `pushed`. */
  readonly verb: string;
  /** What else the user should know. */
  readonly detail?: string;
}

/** The one error for the images that failed, of the worst class among them. Carries them all. */
export function combineFailures(failures: readonly ImageFailure[], { totalCount, verb, detail }: FailedWork): DtError {
  const worst = findWorstError(failures.map(({ error }) => error));
  const [first] = failures;
  if (worst === undefined || first === undefined) throw new TypeError('nothing failed');
  // A registry that cannot be reached is one failure, however many images it concerns.
  if (failures.length > 1 && failures.every(({ error }) => error.message === first.error.message)) {
    return copyError(first.error, { failures, ...joinDetails(first.error.detail, detail) });
  }
  const message =
    failures.length === 1
      ? nameImage(first)
      : `${String(failures.length)} of ${formatCount(totalCount, 'image')} could not be ${verb}`;
  const { code, hints, side } = worst;
  return new DtError(code, message, {
    hints,
    side,
    failures,
    cause: worst,
    ...joinDetails(failures.length === 1 ? worst.detail : undefined, detail),
  });
}

function joinDetails(...details: readonly (string | undefined)[]): { readonly detail?: string } {
  const known = details.filter((part) => part !== undefined);
  return known.length === 0 ? {} : { detail: known.join(' ') };
}

/** Errors of registries name the repository, those of blobs do not tell which image needs it. */
function nameImage({ image, error }: ImageFailure): string {
  const repository = image.split('@', 1)[0]?.replace(/:[^:/]+$/, '') ?? image;
  return error.message.includes(repository) ? error.message : `${image}: ${error.message}`;
}
