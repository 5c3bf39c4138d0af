import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { packChartArchive } from '../../../src/archive/chart-archive.ts';
import { loadChart } from '../../../src/archive/load-chart.ts';
import { findChartFile } from '../../../src/domain/chart/chart-tree.ts';
import type { Chart } from '../../../src/domain/chart/chart.ts';
import { IMAGE_ANNOTATION_KEYS } from '../../../src/domain/chart/images-annotation.ts';
import { parseRelocationPrefix } from '../../../src/domain/relocation/relocation-prefix.ts';
import type { RenderOptions } from '../../../src/helm/render-input.ts';
import type { RunContext } from '../../../src/workflows/context.ts';
import { relocateProven, type ProvenRelocation } from '../../../src/workflows/relocating/relocate-proven.ts';
import { checkRelocation } from '../../support/check-relocation.ts';
import { listGoldenCharts, readGoldenChart } from '../../support/golden-charts.ts';
import { createHelmContext, HELM_TOOLS } from '../../support/helm.ts';
import { templateChart } from '../../support/template-chart.ts';
import { requireTool } from '../../support/tools.ts';

const PREFIX = 'registry.internal:5000/mirror';
const RENDER: RenderOptions = { valuesFiles: [], set: [], apiVersions: [] };
/** For which every golden chart renders. */
const KUBE_VERSION = '1.99.0';
/** `REFERENCE REASON` of the images that no relocation can move; those of all other charts move. */
const LEFT: Readonly<Record<string, readonly string[]>> = {
  'breaks-when-marked': ['quay.io/team/app:1 untraced'],
  'checked-names': ['docker.io/team/app:1 refused'],
  'deep-names': ['quay.io/team/deep/app:1 shape'],
  'named-after-images': ['quay.io/team/app:1 refused'],
  'packed-subchart': ['quay.io/team/packed:1 refused'],
  'pinned-by-schema': ['quay.io/team/app:1 refused'],
  'shared-registry-conflict': ['docker.io/app:1 conflict', 'docker.io/team/app:1 conflict'],
};

for (const tool of HELM_TOOLS) {
  describe(`golden charts relocated with ${tool}`, { concurrency: 2 }, async () => {
    for (const name of await listGoldenCharts()) {
      it(name, async (t) => {
        const helm = requireTool(t, tool);
        if (helm === undefined) return;
        const context = await createHelmContext(helm);
        const { chart, expected } = await readGoldenChart(name);
        const valuesFiles = expected.valuesFiles ?? ['values.yaml'];
        const first = await relocate(chart, valuesFiles, context);
        const { relocated, proof } = first;
        assert.equal(proof.state, 'proven');
        assert.deepEqual(describeLeft(first), LEFT[name] ?? []);

        const after = await loadChart(relocated.tree, name);
        for (const valuesFile of valuesFiles) {
          const outputs = await templateBoth(helm, chart, after, valuesFile);
          const {
            failures,
            images,
            relocated: moved,
            left,
          } = checkRelocation(chart, relocated, proof, outputs, PREFIX);
          assert.deepEqual(failures, []);
          assert.equal(moved + left, images);
        }
        checkLines(chart, after, relocated.changes);

        const again = await relocate(after, valuesFiles, context);
        assert.deepEqual(again.relocated.changes, []);
        assert.equal(again.relocated.tree, after.tree);
        assert.deepEqual(describeLeft(again), LEFT[name] ?? []);
      });
    }
  });
}

it('the table of what is left names golden charts only', async () => {
  const names = await listGoldenCharts();
  assert.deepEqual(
    Object.keys(LEFT).filter((name) => !names.includes(name)),
    [],
  );
});

async function relocate(chart: Chart, valuesFiles: readonly string[], context: RunContext): Promise<ProvenRelocation> {
  return relocateProven(
    chart,
    {
      prefix: parseRelocationPrefix(PREFIX),
      annotationKeys: IMAGE_ANNOTATION_KEYS,
      valuesFiles,
      repackSubchart: async ({ metadata }, tree) => packChartArchive(metadata.name, tree, { mtimeSeconds: 0 }),
      render: RENDER,
    },
    context,
  );
}

function describeLeft({ proof }: ProvenRelocation): readonly string[] {
  return [...new Set(proof.left.map(({ reference, why }) => `${reference} ${why}`))].sort();
}

async function templateBoth(
  helm: string,
  before: Chart,
  after: Chart,
  valuesFile: string,
): Promise<{ before: string; again: string; after: string }> {
  const template = async (chart: Chart): Promise<string> => {
    const file = valuesFile === 'values.yaml' ? undefined : findChartFile(chart.tree, valuesFile);
    return templateChart(helm, chart, { values: file === undefined ? [] : [file.bytes], kubeVersion: KUBE_VERSION });
  };
  return { before: await template(before), again: await template(before), after: await template(after) };
}

/** Files differ in lines of reported changes only, those of packed subcharts too. */
function checkLines(before: Chart, after: Chart, changes: ProvenRelocation['relocated']['changes'], label = ''): void {
  for (const { type, path, bytes } of before.tree) {
    if (type !== 'file' || path.endsWith('.tgz')) continue;
    const lines = new Set(changes.filter(({ file }) => file === label + path).map(({ line }) => line));
    const [old = [], now = []] = [bytes, findChartFile(after.tree, path)?.bytes ?? new Uint8Array()].map((part) =>
      Buffer.from(part).toString().split('\n'),
    );
    // A field that was added beside a merge key.
    if (now.length > old.length && lines.size > 0) continue;
    const differing = [...old.keys()].filter((index) => old[index] !== now[index]);
    assert.deepEqual(
      differing.filter((index) => !lines.has(index + 1)),
      [],
      label + path,
    );
  }
  for (const [index, { path, isPacked, chart }] of before.subcharts.entries()) {
    const other = after.subcharts[index];
    assert.equal(other?.path, path);
    if (isPacked) checkLines(chart, other.chart, changes, `${label}${path}/`);
  }
}
