import { loadChart } from '../../archive/load-chart.ts';
import type { RenderedImage } from '../../domain/discovery/rendered-image.ts';
import { isDtError, type DtError } from '../../domain/errors.ts';
import { compareRenderings, type RenderingComparison } from '../../domain/proof/compare-renderings.ts';
import { findNoise } from '../../domain/proof/rendering-noise.ts';
import type { RelocatedChart } from '../../domain/relocation/relocate-chart.ts';
import type { HelmRenderer } from '../../helm/helm-renderer.ts';
import { ChartRendering } from '../discovery/chart-rendering.ts';
import { renderLike, withValuesFile, type RenderVariant } from './render-variants.ts';

/** What became of one variant; an error if the relocated chart does not render in that way any more. */
export interface VariantOutcome {
  readonly variant: RenderVariant;
  readonly result: RenderingComparison | DtError;
}

/** What a relocated chart renders, compared with the original. */
export interface TrialOutcome {
  readonly relocated: RelocatedChart;
  readonly variants: readonly VariantOutcome[];
}

/**
 * Renders a relocated chart in every variant and compares. What differs for no reason is looked for in a second rendering of
 * the original. Throws DT_HELM_UNUSABLE, DT_INTERRUPTED.
 */
export async function tryRelocation(
  relocated: RelocatedChart,
  variants: readonly RenderVariant[],
  renderer: HelmRenderer,
  relocateText: (text: string) => string | undefined,
): Promise<TrialOutcome> {
  const replaced = relocated.changes.filter(({ from }) => from !== '');
  const chart = await loadChart(relocated.tree, 'the relocated chart');
  const outcomes = await Promise.all(
    variants.map(async (variant): Promise<VariantOutcome> => {
      const options = withValuesFile(chart, variant.options, variant.valuesFile);
      try {
        const after = await renderLike(variant, new ChartRendering(chart, renderer, options));
        const compare = (): RenderingComparison =>
          compareRenderings(variant.before, after, { relocateText, replaced }, variant.noise);
        const result = compare();
        if (result.others.length === 0 || variant.noise !== undefined) return { variant, result };
        const again = await renderLike(variant, variant.rendering, 1);
        variant.noise = findNoise(variant.before.output, again.output);
        return { variant, result: compare() };
      } catch (error) {
        if (!isDtError(error, 'DT_CHART_NOT_RENDERED')) throw error;
        return { variant, result: error };
      }
    }),
  );
  return { relocated, variants: outcomes };
}

/** True for the way the chart is installed as it is, and not with features on that are off. */
export function isInstalled({ variant }: VariantOutcome): boolean {
  return variant.switchedOn === undefined;
}

/** True if nothing but images moved, each where it has to be. */
export function isSound({ result }: VariantOutcome): boolean {
  return !isDtError(result) && result.wrong.length === 0 && result.others.length === 0;
}

/** The images that a trial has left or moved elsewhere, in any variant. */
export function listLeft({ variants }: TrialOutcome): ReadonlySet<RenderedImage> {
  const found = variants.flatMap(({ result }) =>
    isDtError(result) ? [] : [...result.left, ...result.wrong.map(({ image }) => image)],
  );
  return new Set(found);
}

/** How many images were left where they were. */
export function countLeft({ result }: VariantOutcome): number {
  return isDtError(result) ? 0 : result.left.length;
}

/** What speaks against a variant that is not sound. */
export function findObjection({ result }: VariantOutcome): string | undefined {
  if (isDtError(result)) return result.message;
  const [other] = result.others;
  if (other !== undefined) return `${other.template} ${other.path}: "${other.before}" would become "${other.after}"`;
  const [wrong] = result.wrong;
  if (wrong === undefined) return undefined;
  return `${wrong.image.place.template}: ${wrong.image.text} would become ${wrong.to ?? 'nothing'}`;
}
