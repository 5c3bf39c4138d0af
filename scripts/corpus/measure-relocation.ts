import { loadChart } from '../../src/archive/load-chart.ts';
import { packChartArchive } from '../../src/archive/chart-archive.ts';
import type { Chart } from '../../src/domain/chart/chart.ts';
import type { RelocationProof } from '../../src/domain/proof/relocation-proof.ts';
import { IMAGE_ANNOTATION_KEYS } from '../../src/domain/chart/images-annotation.ts';
import { parseRelocationPrefix } from '../../src/domain/relocation/relocation-prefix.ts';
import { findHelm } from '../../src/helm/find-helm.ts';
import { HelmRenderer } from '../../src/helm/helm-renderer.ts';
import type { RenderOptions } from '../../src/helm/render-input.ts';
import type { RunContext } from '../../src/workflows/context.ts';
import { relocateProven } from '../../src/workflows/relocating/relocate-proven.ts';
import { renderChart } from '../../src/workflows/discovery/render-chart.ts';
import { checkRelocation, type RelocationCheck } from '../../test/support/check-relocation.ts';

export const CORPUS_PREFIX = 'registry.internal:5000/mirror';

export interface MeasuredRelocation extends RelocationCheck {
  readonly proof: RelocationProof;
  readonly durationMs: number;
}

/** Relocates a chart, and renders it before and after once more to count what became of its images. */
export async function measureRelocation(
  chart: Chart,
  render: RenderOptions,
  context: RunContext,
): Promise<MeasuredRelocation> {
  const startedAtMs = performance.now();
  const { relocated, proof } = await relocateProven(
    chart,
    {
      prefix: parseRelocationPrefix(CORPUS_PREFIX),
      annotationKeys: IMAGE_ANNOTATION_KEYS,
      valuesFiles: ['values.yaml'],
      repackSubchart: async ({ metadata }, tree) => packChartArchive(metadata.name, tree, { mtimeSeconds: 0 }),
      render,
    },
    context,
  );
  const durationMs = performance.now() - startedAtMs;
  if (proof.state === 'unproven') throw new Error(proof.reason ?? 'unproven');
  const helm = await findHelm(context);
  if (helm === undefined) throw new Error('there is no Helm: set HELM_BIN');
  const renderer = new HelmRenderer({ helm, chartName: chart.metadata.name, environment: context.environment });
  try {
    const after = await loadChart(relocated.tree, chart.metadata.name);
    const { rendering, rendered } = await renderChart(chart, renderer, render);
    const outputs = {
      before: rendered.output,
      again: (await rendering.render(new Map(), 1)).output,
      after: (await renderChart(after, renderer, render)).rendered.output,
    };
    return { ...checkRelocation(chart, relocated, proof, outputs, CORPUS_PREFIX), proof, durationMs };
  } finally {
    await renderer.dispose();
  }
}
