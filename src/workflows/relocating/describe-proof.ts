import { describeProblems } from '../../domain/discovery/describe-problems.ts';
import type { RenderedImage } from '../../domain/discovery/rendered-image.ts';
import { isDtError } from '../../domain/errors.ts';
import { isPartOfAny } from '../../domain/proof/compare-renderings.ts';
import type { HeadPlan, TracedHead } from '../../domain/proof/plan-heads.ts';
import {
  describeLeftImage,
  type LeftImage,
  type LeftReason,
  type MovedImage,
  type RelocationProof,
} from '../../domain/proof/relocation-proof.ts';
import type { RelocationChange } from '../../domain/relocation/relocation-change.ts';
import type { RelocatedChart } from '../../domain/relocation/relocate-chart.ts';
import type { HelmProgram } from '../../helm/find-helm.ts';
import { isEditable, type EditSearch } from './choose-edits.ts';
import { findObjection, isInstalled, type TrialOutcome, type VariantOutcome } from './relocation-trial.ts';

/** The first ones say what is wrong; halves of the same edits only say it again. */
const MAX_OBJECTIONS = 3;

/** Every image that was left, each place once, and why. */
export function describeLeft(
  { variants }: TrialOutcome,
  traced: ReadonlyMap<RenderedImage, readonly TracedHead[]>,
  { unmovable }: HeadPlan,
  search: EditSearch,
): readonly LeftImage[] {
  const reasons = new Map(unmovable.map(({ image, why }) => [image, why]));
  const found = variants.flatMap((outcome) =>
    isDtError(outcome.result) ? [] : outcome.result.left.map((image) => ({ image, isOff: !isInstalled(outcome) })),
  );
  const seen = new Set<string>();
  return found.flatMap(({ image, isOff }) => {
    const heads = traced.get(image) ?? [];
    const why = reasons.get(image) ?? findReason(heads, search);
    const described = describeLeftImage(
      image,
      why,
      heads.map(({ origin }) => origin),
      isOff,
    );
    // With features on, what is installed is there as well.
    const key = JSON.stringify([described.template, described.object, described.path, described.reference]);
    if (seen.has(key)) return [];
    seen.add(key);
    return [described];
  });
}

function findReason(heads: readonly TracedHead[], search: EditSearch): LeftReason {
  if (heads.length === 0) return 'untraced';
  if (heads.every((head) => isEditable(head, search))) return 'refused';
  return heads.some((head) => 'scalar' in head) ? 'values' : 'hard-coded';
}

/** What the shapes would have changed, and is as it was. */
export function listWithdrawn(byShape: RelocatedChart, accepted: RelocatedChart): RelocationProof['withdrawn'] {
  const changed = new Set(accepted.changes.map(({ file, line, path }) => JSON.stringify([file, line, path])));
  return byShape.changes.filter(({ file, line, path }) => !changed.has(JSON.stringify([file, line, path])));
}

/** What stands in values files and no moved image has in its name. */
function listUnproven(
  { changes }: RelocatedChart,
  moved: readonly MovedImage[],
  valuesFiles: readonly string[],
): readonly RelocationChange[] {
  const targets = moved.map(({ to }) => to);
  const isValues = (file: string): boolean => valuesFiles.some((name) => `/${file}`.endsWith(`/${name}`));
  return changes.filter(({ file, to }) => isValues(file) && !isPartOfAny(to, targets));
}

/** What spoils features that are off. */
function describeOff(variants: readonly VariantOutcome[]): readonly string[] {
  return variants
    .filter((outcome) => !isInstalled(outcome))
    .flatMap((outcome) => findObjection(outcome) ?? [])
    .map((text) => `with features on that are off: ${text}`);
}

/** What is told of a relocation that was proven. */
export function toProof(
  { renderer, objections, options }: EditSearch,
  helm: HelmProgram,
  { variants, relocated }: TrialOutcome,
  left: readonly LeftImage[],
  withdrawn: RelocationProof['withdrawn'],
): RelocationProof {
  const moved = new Map<string, MovedImage>();
  for (const outcome of variants) {
    if (isDtError(outcome.result)) continue;
    for (const { image, to } of outcome.result.moved) {
      if (!moved.has(image.text)) moved.set(image.text, { from: image.text, to, isOff: !isInstalled(outcome) });
    }
  }
  return {
    state: 'proven',
    helmVersion: helm.version,
    moved: [...moved.values()],
    left,
    unproven: listUnproven(relocated, [...moved.values()], options.valuesFiles),
    withdrawn,
    problems: [...new Set(variants.filter(isInstalled).flatMap(({ variant }) => describeProblems(variant.before)))],
    objections: [
      ...(left.some(({ why }) => why === 'refused') || withdrawn.length > 0
        ? [...objections].slice(0, MAX_OBJECTIONS)
        : []),
      ...describeOff(variants),
    ],
    renderCount: renderer.statistics.renders,
    durationMs: Math.round(renderer.statistics.durationMs),
  };
}
