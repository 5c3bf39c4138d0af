import type { RelocationPrefix } from '../../domain/relocation/relocation-prefix.ts';
import type { RelocationRule } from '../../domain/relocation/relocation-rule.ts';
import type { ReplacedIndexes } from '../../domain/relocation/replaced-indexes.ts';
import type { RenderOptions } from '../../helm/render-input.ts';

/**
 * What becomes of the chart: it is rewritten to use the target (`rewrite`), stays as it came with its digest, provenance and
 * signatures (`keep`), or stays so and gets a values file that points it to the target (`overlay`).
 */
export type ChartMode = 'rewrite' | 'keep' | 'overlay';

export interface ChartPlanOptions {
  readonly mode: ChartMode;
  /** Where the images go. */
  readonly prefix: RelocationRule;
  /** Where the chart goes. */
  readonly chartPrefix: RelocationPrefix;
  /** Values files inside the chart whose images are relocated. */
  readonly valuesFiles: readonly string[];
  readonly annotationsKey?: string | undefined;
  /** How the chart is rendered for the proof; default: by its own values. */
  readonly render?: RenderOptions | undefined;
  /** Leave references that stand in templates, and only report them. */
  readonly keepTemplates?: boolean | undefined;
  /** Let its dependencies come from the place that the chart goes to. */
  readonly rewritesDependencies?: boolean | undefined;
  /** What the indexes of the images may turn into; empty if all stay as they are. */
  readonly possibleReplacements: ReplacedIndexes;
}
