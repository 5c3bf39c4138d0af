import { setScalars } from '../../domain/discovery/apply-marks.ts';
import { findOffFlags, isSwitch, nameFlag, type OffFlag } from '../../domain/discovery/find-off-flags.ts';
import type { ValuesText } from '../../domain/discovery/find-value-marks.ts';
import { outsideName } from '../../domain/discovery/outside-values.ts';
import { isDtError } from '../../domain/errors.ts';
import type { ChartRendering, FileChanges, RenderedImages } from './chart-rendering.ts';

/** What looking for features may cost; counted down by `renderFlagSets`. */
export interface FeatureBudget {
  rendersLeft: number;
  /** On the clock of `performance.now`: later no rendering is begun. */
  readonly endsAtMs: number;
}

export interface FlagSetWork {
  readonly render: (changes: FileChanges) => Promise<RenderedImages>;
  /** Called for each set that renders, in the order of the sets, one after the other. */
  readonly take: (flags: readonly OffFlag[], rendered: RenderedImages) => void | Promise<void>;
}

/** The features of a chart that are off by default. What the user set in a file of his own is no default of the chart. */
export function listOffFeatures(rendering: ChartRendering): readonly OffFlag[] {
  return findOffFlags(rendering.listValues().filter(({ file }) => outsideName(file) === undefined));
}

/** The texts of values files with these flags on. */
export function switchOn(flags: readonly OffFlag[]): FileChanges {
  const byFile = Map.groupBy(flags, ({ text }) => text);
  return new Map(
    [...byFile].map(([{ file, tree }, group]) => [
      file,
      setScalars(
        tree,
        group.map(({ scalar }) => scalar),
        'true',
      ),
    ]),
  );
}

/** The same for flags of these names (see `nameFlag`) in other versions of the files. */
export function switchOnNamed(texts: readonly ValuesText[], names: ReadonlySet<string>): FileChanges {
  return switchOn(findOffFlags(texts).filter((flag) => names.has(nameFlag(flag))));
}

/**
 * Renders each set of flags, then the parts of those that failed, and so on as far as the budget goes; its time is looked at
 * between these rounds only. Returns the flags that were never on. Throws DT_HELM_UNUSABLE, DT_INTERRUPTED.
 */
export async function renderFlagSets(
  sets: readonly (readonly OffFlag[])[],
  budget: FeatureBudget,
  { render, take }: FlagSetWork,
): Promise<readonly OffFlag[]> {
  const untried: OffFlag[] = [];
  let waiting = sets;
  while (waiting.length > 0) {
    const isLate = performance.now() > budget.endsAtMs;
    const round = waiting.slice(0, isLate ? 0 : budget.rendersLeft);
    budget.rendersLeft -= round.length;
    untried.push(...waiting.slice(round.length).flat());
    const outcomes = await Promise.all(round.map(async (set) => tryRender(async () => render(switchOn(set)))));
    const parts: (readonly OffFlag[])[] = [];
    for (const [index, set] of round.entries()) {
      const rendered = outcomes[index];
      if (rendered !== undefined) await take(set, rendered);
      else if (set.length === 1) untried.push(...set);
      else parts.push(...splitFlags(set));
    }
    waiting = parts;
  }
  return untried;
}

/** Undefined if the chart does not render like that. */
async function tryRender(render: () => Promise<RenderedImages>): Promise<RenderedImages | undefined> {
  try {
    return await render();
  } catch (error) {
    if (!isDtError(error, 'DT_CHART_NOT_RENDERED')) throw error;
    return undefined;
  }
}

/** Flags that switch parts of a chart on mostly get along with each other; after them come halves. */
function splitFlags(flags: readonly OffFlag[]): readonly (readonly OffFlag[])[] {
  const switches = flags.filter(isSwitch);
  const others = flags.filter((flag) => !switches.includes(flag));
  if (switches.length > 0 && others.length > 0) return [switches, others];
  const middle = Math.ceil(flags.length / 2);
  return [flags.slice(0, middle), flags.slice(middle)];
}
