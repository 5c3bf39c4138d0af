import { VALUES_FILE_NAME } from '../../domain/chart/chart-tree.ts';
import type { Chart } from '../../domain/chart/chart.ts';
import { outsideName } from '../../domain/discovery/outside-values.ts';
import type { HeadEdit, TracedHead } from '../../domain/proof/plan-heads.ts';
import { relocateChart, type ProvenPlaces, type RelocateChartOptions } from '../../domain/relocation/relocate-chart.ts';
import type { HelmRenderer } from '../../helm/helm-renderer.ts';
import type { RenderOptions } from '../../helm/render-input.ts';
import { toProvenPlaces } from './proven-places.ts';
import {
  countLeft,
  findObjection,
  isInstalled,
  isSound,
  tryRelocation,
  type TrialOutcome,
  type VariantOutcome,
} from './relocation-trial.ts';
import type { RenderVariant } from './render-variants.ts';

export interface RelocateProvenOptions extends Omit<RelocateChartOptions, 'replacedIndexes' | 'proven'> {
  readonly render: RenderOptions;
  /** Leave references that stand in templates, and only report them. */
  readonly keepTemplates?: boolean;
}

/** Trials of one relocation; an edit that does harm is reached by halving. */
export const MAX_TRIALS = 24;
export const MAX_SEARCH_MS = 120_000;

/** What a chart is tried with, and what came of it so far. */
export interface EditSearch {
  readonly chart: Chart;
  readonly options: RelocateProvenOptions;
  readonly renderer: HelmRenderer;
  readonly variants: readonly RenderVariant[];
  readonly relocateText: (text: string) => string | undefined;
  trialsLeft: number;
  /** On the clock of `performance.now`: later no edit is tried any more. */
  readonly endsAtMs: number;
  /** What spoke against edits that were tried. */
  readonly objections: Set<string>;
}

/** How a chart is edited: the traced places that are, and whether the shape of the values counts for the rest. */
export interface EditChoice {
  readonly edits: readonly HeadEdit[];
  readonly usesShapes: boolean;
  /** Annotations and locks stay as they are: a template may read them. */
  readonly keepsDeclarations?: boolean;
}

/** A choice with what it led to. */
export interface Trial {
  /** Undefined stands for the shapes alone. */
  readonly choice: EditChoice | undefined;
  readonly outcome: TrialOutcome;
}

/** The choice that leaves the fewest images of what is installed, then of the features that are off. */
export async function chooseEdits(
  search: EditSearch,
  { all, ofLeft }: { readonly all: readonly HeadEdit[]; readonly ofLeft: readonly HeadEdit[] },
  byShape: TrialOutcome,
): Promise<Trial> {
  const trials: Trial[] = [{ choice: undefined, outcome: byShape }];
  const choices: readonly EditChoice[] = [
    // The less is edited in another way than the Go tool does, the better.
    ...(ofLeft.length > 0 && ofLeft.length < all.length ? [{ edits: ofLeft, usesShapes: true }] : []),
    { edits: all, usesShapes: true },
    { edits: all, usesShapes: false },
  ];
  for (const choice of choices) {
    const outcome = await tryChoice(search, choice);
    trials.push({ choice, outcome });
    const isDone = outcome.variants.every(
      (variant) => isSound(variant) && (isInstalled(variant) ? countLeft(variant) === 0 : true),
    );
    if (isDone) break;
  }
  const [best] = trials
    .filter(({ outcome }) => isSoundAsInstalled(outcome))
    .toSorted((one, other) => compareCosts(one.outcome, other.outcome));
  return best ?? narrow(search, all);
}

/** Takes edits in as long as nothing but images moves; halves of what does harm are tried alone. */
async function narrow(search: EditSearch, edits: readonly HeadEdit[]): Promise<Trial> {
  let choice: EditChoice = { edits: [], usesShapes: false };
  let outcome = await tryChoice(search, choice);
  if (!isSoundAsInstalled(outcome)) {
    choice = { ...choice, keepsDeclarations: true };
    outcome = await tryChoice(search, choice);
  }
  let waiting: readonly (readonly HeadEdit[])[] = [edits];
  while (waiting.length > 0 && search.trialsLeft > 0 && performance.now() < search.endsAtMs) {
    const [set = [], ...others] = waiting;
    const next = { ...choice, edits: [...choice.edits, ...set] };
    const tried = await tryChoice(search, next);
    waiting = others;
    if (isSoundAsInstalled(tried)) [choice, outcome] = [next, tried];
    else if (set.length > 1) {
      const middle = Math.ceil(set.length / 2);
      waiting = [set.slice(0, middle), set.slice(middle), ...others];
    }
  }
  return { choice, outcome };
}

/** What is installed must be right; features that are off may not render in every combination anyway. */
function isSoundAsInstalled({ variants }: TrialOutcome): boolean {
  return variants.filter(isInstalled).every(isSound);
}

function compareCosts(one: TrialOutcome, other: TrialOutcome): number {
  const costs = ({ variants }: TrialOutcome): number[] => {
    const left = (isWanted: (outcome: VariantOutcome) => boolean): number =>
      variants.filter(isWanted).reduce((sum, outcome) => sum + countLeft(outcome), 0);
    const unsound = variants.filter((outcome) => !isSound(outcome)).length;
    return [left(isInstalled), unsound, left((outcome) => !isInstalled(outcome))];
  };
  const [mine, others] = [costs(one), costs(other)];
  const first = mine.findIndex((cost, index) => cost !== others[index]);
  return first === -1 ? 0 : (mine[first] ?? 0) - (others[first] ?? 0);
}

/** Relocates the chart with a choice and renders it; the shapes alone if there is none. */
export async function tryChoice(search: EditSearch, choice: EditChoice | undefined): Promise<TrialOutcome> {
  const { chart, options, variants, renderer, relocateText } = search;
  search.trialsLeft -= 1;
  const proven = choice === undefined ? {} : { proven: placesOf(search, choice) };
  const relocated = await relocateChart(chart, { ...options, ...proven });
  const outcome = await tryRelocation(relocated, variants, renderer, relocateText);
  for (const variant of outcome.variants.filter(isInstalled)) {
    const objection = findObjection(variant);
    if (objection !== undefined) search.objections.add(objection);
  }
  return outcome;
}

/** A choice as the relocation of a chart takes it. */
export function placesOf({ options }: EditSearch, { edits, ...choice }: EditChoice): ProvenPlaces {
  return toProvenPlaces(edits, choice, options.valuesFiles);
}

/** False for templates that are to be kept, for values files from outside, and for those of the chart that are not to be relocated. */
export function isEditable(head: TracedHead, { options }: EditSearch): boolean {
  if (!('scalar' in head)) return options.keepTemplates !== true;
  const name = outsideName(head.file);
  if (name === undefined) return options.valuesFiles.includes(VALUES_FILE_NAME);
  return options.valuesFiles.includes(name) && !options.render.valuesFiles.some((file) => file.name === name);
}
