import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DiscoveredImage } from '../../../src/domain/discovery/discovered-image.ts';
import { findImages } from '../../../src/workflows/discovery/find-images.ts';
import { listGoldenCharts, readGoldenChart, type ExpectedImages } from '../../support/golden-charts.ts';
import { HELM_TOOLS, requireHelmContext } from '../../support/helm.ts';

const OPTIONS = { valuesFiles: [], set: [], apiVersions: [], allVariants: false };

for (const tool of HELM_TOOLS) {
  describe(`images of the golden charts with ${tool}`, { concurrency: 2 }, async () => {
    for (const name of await listGoldenCharts()) {
      it(name, async (t) => {
        const context = await requireHelmContext(t, tool);
        if (context === undefined) return;
        const { chart, expected } = await readGoldenChart(name);
        const { images, problems } = await findImages(chart, OPTIONS, context);
        assert.deepEqual(images.map(summarize).sort(compare), expected.images.map(withDefaults).sort(compare));
        assert.deepEqual(problems, []);
      });
    }
  });
}

type Summary = Required<ExpectedImages['images'][number]>;

function summarize({ reference, confidence, isComplete, isTestOnly, reasons }: DiscoveredImage): Summary {
  const from = reasons.flatMap((reason) => {
    if (reason.kind === 'values') return [`${reason.file}:${String(reason.line)} ${reason.path}`];
    if (reason.kind !== 'rendering' && reason.kind !== 'feature') return [];
    return reason.origins.map(({ file, line, path }) => `${file}:${String(line)} ${path}`.trim());
  });
  return { reference, confidence, isComplete, isTestOnly, from: [...new Set(from)].sort() };
}

/** An image for which no place is expected may have any. */
function withDefaults({ isComplete = true, isTestOnly = false, ...image }: ExpectedImages['images'][number]): Summary {
  return { ...image, isComplete, isTestOnly };
}

function compare(left: Summary, right: Summary): number {
  return left.reference < right.reference ? -1 : 1;
}
