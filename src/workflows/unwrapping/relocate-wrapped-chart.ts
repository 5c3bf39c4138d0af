import { packChartArchive } from '../../archive/chart-archive.ts';
import type { Chart } from '../../domain/chart/chart.ts';
import { IMAGE_ANNOTATION_KEYS } from '../../domain/chart/images-annotation.ts';
import { parseImageField } from '../../domain/discovery/image-text.ts';
import { imageIdentity } from '../../domain/discovery/find-rendered-images.ts';
import { formatCount } from '../../domain/format-quantity.ts';
import type { ImagesLock } from '../../domain/lock/images-lock.ts';
import { parseReference } from '../../domain/oci/reference.ts';
import { describeLeftPlace } from '../../domain/proof/describe-left.ts';
import { formatOciPrefix } from '../../domain/relocation/relocation-prefix.ts';
import type { RelocationProof } from '../../domain/proof/relocation-proof.ts';
import type { RunContext } from '../context.ts';
import { relocateProven, type ProvenRelocation } from '../relocating/relocate-proven.ts';
import type { ChartPlanOptions } from './chart-plan.ts';

const PLAIN_RENDERING = { valuesFiles: [], set: [], apiVersions: [] };

/** Relocates the chart of a wrap, with the proof for its target. Throws as `relocateProven`. */
export async function relocateWrappedChart(
  chart: Chart,
  options: ChartPlanOptions,
  context: RunContext,
): Promise<ProvenRelocation> {
  return relocateProven(
    chart,
    {
      prefix: options.prefix,
      annotationKeys: options.annotationsKey === undefined ? IMAGE_ANNOTATION_KEYS : [options.annotationsKey],
      valuesFiles: options.valuesFiles,
      repackSubchart: async (subchart, tree) => packChartArchive(subchart.metadata.name, tree, { mtimeSeconds: 0 }),
      dependencyRepository: options.rewritesDependencies === true ? formatOciPrefix(options.chartPrefix) : undefined,
      render: options.render ?? PLAIN_RENDERING,
      // A values file reaches no template.
      keepTemplates: options.mode === 'overlay' || options.keepTemplates === true,
    },
    context,
  );
}

/** Says what a relocation could not do, and which images the chart runs that are not in the wrap. */
export function reportProof(proof: RelocationProof, lock: ImagesLock, { reporter }: RunContext): void {
  const { state, reason, moved, left, renderCount } = proof;
  if (state === 'unproven') {
    reporter.info(`The relocation is unproven: ${reason ?? 'nothing was rendered'}`);
    return;
  }
  const certain = left.filter(({ isCertain, isOff }) => isCertain && !isOff);
  reporter.info(
    `Proven by ${formatCount(renderCount, 'rendering')}: ${formatCount(moved.filter(({ isOff }) => !isOff).length, 'image')} moved, ${String(certain.length)} left, nothing else changed`,
  );
  for (const text of new Set(certain.map(describeLeftPlace))) reporter.warn(text);
  if (proof.unproven.length > 0) {
    reporter.info(
      `${formatCount(proof.unproven.length, 'place')} changed by its shape that no rendering shows (charts relocate --check lists them)`,
    );
  }
  for (const text of proof.problems) reporter.warn(text);
  for (const text of proof.objections) reporter.info(text);
  const wrapped = new Set(lock.images.map(({ image }) => imageIdentity(parseReference(image))));
  for (const { from, to, isOff } of moved) {
    const reference = parseImageField(from);
    if (isOff || reference === undefined || wrapped.has(imageIdentity(reference))) continue;
    reporter.warn(`the chart uses ${from}, which is not in the wrap: ${to} has to come from elsewhere`);
  }
}
