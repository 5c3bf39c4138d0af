import { posix } from 'node:path';
import type { Chart } from '../../domain/chart/chart.ts';
import { isDtError } from '../../domain/errors.ts';
import { createTextRelocation } from '../../domain/proof/expected-moves.ts';
import { planHeads, type HeadEdit, type HeadPlan } from '../../domain/proof/plan-heads.ts';
import type { RelocationProof } from '../../domain/proof/relocation-proof.ts';
import { relocateChart, type RelocatedChart } from '../../domain/relocation/relocate-chart.ts';
import { NO_REPLACED_INDEXES, type ReplacedIndexes } from '../../domain/relocation/replaced-indexes.ts';
import { findHelm, NO_HELM, type HelmProgram } from '../../helm/find-helm.ts';
import type { RenderOptions } from '../../helm/render-input.ts';
import { HelmRenderer } from '../../helm/helm-renderer.ts';
import type { RunContext } from '../context.ts';
import {
  chooseEdits,
  isEditable,
  MAX_SEARCH_MS,
  MAX_TRIALS,
  placesOf,
  tryChoice,
  type EditSearch,
  type RelocateProvenOptions,
} from './choose-edits.ts';
import { describeLeft, listWithdrawn, toProof } from './describe-proof.ts';
import { countLeft, isSound, listLeft } from './relocation-trial.ts';
import { renderVariants } from './render-variants.ts';
import { traceVariants } from './trace-variants.ts';

export interface ProvenRelocation {
  readonly relocated: RelocatedChart;
  readonly proof: RelocationProof;
  /** The same edits, and the digests of indexes that have other ones in the target; that is not rendered once more. */
  relocateFor(replaced: ReplacedIndexes): Promise<RelocatedChart>;
}

/**
 * Relocates a chart so that its rendering says it is right: every image where the mapping puts it, and nothing else changed.
 * The shape of the values is tried first; where a rendering contradicts it, the places that images were seen to begin with are edited.
 * What cannot be moved is reported and left. Without a Helm that works, or if the chart does not render, the shapes alone count and
 * the proof says so, unless the options say how it is to be rendered. Throws as `relocateChart`, DT_CHART_NOT_RENDERED, DT_INTERRUPTED.
 */
export async function relocateProven(
  chart: Chart,
  options: RelocateProvenOptions,
  context: RunContext,
): Promise<ProvenRelocation> {
  try {
    const helm = await findHelm(context);
    if (helm === undefined) return await relocateUnproven(chart, options, NO_HELM);
    const { environment, signal } = context;
    const renderer = new HelmRenderer({ helm, chartName: chart.metadata.name, environment, signal });
    try {
      return await prove(chart, options, renderer, helm);
    } finally {
      await renderer.dispose();
    }
  } catch (error) {
    // Who says how it is to be rendered wants it rendered.
    if (!isDtError(error, 'DT_CHART_NOT_RENDERED', 'DT_HELM_UNUSABLE') || isAskedFor(options.render)) throw error;
    return relocateUnproven(chart, options, error.message);
  }
}

function isAskedFor({ valuesFiles, set, kubeVersion, apiVersions }: RenderOptions): boolean {
  return valuesFiles.length + set.length + apiVersions.length > 0 || kubeVersion !== undefined;
}

async function relocateUnproven(
  chart: Chart,
  options: RelocateProvenOptions,
  reason: string,
): Promise<ProvenRelocation> {
  const relocateFor = async (replacedIndexes: ReplacedIndexes): Promise<RelocatedChart> =>
    relocateChart(chart, { ...options, replacedIndexes });
  const proof = {
    state: 'unproven' as const,
    reason,
    moved: [],
    left: [],
    unproven: [],
    problems: [],
    withdrawn: [],
    objections: [],
    renderCount: 0,
    durationMs: 0,
  };
  return { relocated: await relocateFor(NO_REPLACED_INDEXES), proof, relocateFor };
}

async function prove(
  chart: Chart,
  given: RelocateProvenOptions,
  renderer: HelmRenderer,
  helm: HelmProgram,
): Promise<ProvenRelocation> {
  const options = { ...given, valuesFiles: [...new Set(given.valuesFiles.map((name) => posix.normalize(name)))] };
  const relocateText = createTextRelocation(options.prefix, NO_REPLACED_INDEXES);
  const variants = await renderVariants(chart, renderer, options.valuesFiles, options.render);
  const search: EditSearch = {
    chart,
    options,
    renderer,
    variants,
    relocateText,
    trialsLeft: MAX_TRIALS,
    endsAtMs: performance.now() + MAX_SEARCH_MS,
    objections: new Set<string>(),
  };
  const byShape = await tryChoice(search, undefined);
  if (byShape.variants.every((outcome) => isSound(outcome) && countLeft(outcome) === 0)) {
    return {
      relocated: byShape.relocated,
      proof: toProof(search, helm, byShape, [], []),
      relocateFor: async (replacedIndexes) => relocateChart(chart, { ...options, replacedIndexes }),
    };
  }
  const traced = await traceVariants(variants);
  const plan = planHeads(traced, relocateText);
  const selectEdits = ({ edits }: HeadPlan): readonly HeadEdit[] =>
    edits.filter(({ head }) => isEditable(head, search));
  const left = listLeft(byShape);
  const ofLeft = planHeads(new Map([...traced].filter(([image]) => left.has(image))), relocateText);
  const edits = { all: selectEdits(plan), ofLeft: selectEdits(ofLeft) };
  const { choice, outcome } = await chooseEdits(search, edits, byShape);
  // Where the shapes still count, what is not changed by them is changed by a proven place beside it.
  const withdrawn = choice?.usesShapes === false ? listWithdrawn(byShape.relocated, outcome.relocated) : [];
  return {
    relocated: outcome.relocated,
    proof: toProof(search, helm, outcome, describeLeft(outcome, traced, plan, search), withdrawn),
    relocateFor: async (replacedIndexes) =>
      relocateChart(chart, {
        ...options,
        replacedIndexes,
        ...(choice === undefined ? {} : { proven: placesOf(search, choice) }),
      }),
  };
}
