import assert from 'node:assert/strict';
import { lstat, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readChartFolder } from '../../../src/archive/chart-folder.ts';
import { loadChart } from '../../../src/archive/load-chart.ts';
import type { RunContext } from '../../../src/workflows/context.ts';
import { relocateLocalChart, type RelocateLocalChartResult } from '../../../src/workflows/relocate-local-chart.ts';
import { podOf } from '../../support/discovery-site.ts';
import { HELM_TOOLS, withHelm } from '../../support/helm.ts';
import { templateChart } from '../../support/template-chart.ts';

const P = 'registry.internal:5000/mirror';
const VALUES = 'web:\n  image: quay.io/team/web:1 # ours\n';
const RELOCATED = VALUES.replace('quay.io', P);
const LINK = 'files/site.yaml';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dt-test-'));
});
after(async () => {
  await rm(folder, { recursive: true });
});

/** A chart whose `files/site.yaml` is a link to its values. */
async function writeChart(template: string): Promise<string> {
  const chart = await mkdtemp(join(folder, 'chart-'));
  const files = {
    'Chart.yaml': 'apiVersion: v2\nname: shop\nversion: 1.0.0\n',
    'values.yaml': VALUES,
    'templates/p.yaml': template,
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(chart, path)), { recursive: true });
    await writeFile(join(chart, path), text);
  }
  await mkdir(join(chart, 'files'));
  await symlink('../values.yaml', join(chart, LINK));
  return chart;
}

async function relocate(
  path: string,
  context: RunContext,
  valuesFiles: readonly string[] = ['values.yaml'],
): Promise<RelocateLocalChartResult> {
  const render = { valuesFiles: [], set: [], apiVersions: [] };
  return relocateLocalChart({ path, prefix: P, valuesFiles, keepTemplates: false, isCheck: false, render }, context);
}

async function renderFolder(helm: string, chart: string): Promise<string> {
  return templateChart(helm, await loadChart(await readChartFolder(chart), chart));
}

for (const tool of HELM_TOOLS) {
  describe(`a link in a chart folder with ${tool}`, () => {
    it('renders in the proof what its target has become', async (t) =>
      withHelm(t, tool, async (context, helm) => {
        const chart = await writeChart(podOf('p', `{{ (.Files.Get "${LINK}" | fromYaml).web.image }}`));
        const { proof, changes } = await relocate(chart, context);
        assert.equal(proof.state, 'proven');
        assert.deepEqual(
          changes.map(({ file, to }) => [file, to]),
          [[LINK, `${P}/team/web:1`]],
        );
        assert.equal(await readFile(join(chart, 'values.yaml'), 'utf8'), RELOCATED);
        assert.ok((await lstat(join(chart, LINK))).isSymbolicLink());
        assert.ok((await renderFolder(helm, chart)).includes(`image: ${P}/team/web:1`));
        assert.deepEqual((await relocate(chart, context)).changes, []);
      }));

    it('is edited once where both of its names are to be', async (t) =>
      withHelm(t, tool, async (context) => {
        const chart = await writeChart(podOf('p', '{{ .Values.web.image }}'));
        const { proof, changes } = await relocate(chart, context, ['values.yaml', LINK]);
        assert.equal(proof.state, 'proven');
        assert.deepEqual(
          changes.map(({ file }) => file),
          ['values.yaml'],
        );
        assert.equal(await readFile(join(chart, 'values.yaml'), 'utf8'), RELOCATED);
      }));

    it('keeps its target from an edit that would change more than images', async (t) =>
      withHelm(t, tool, async (context, helm) => {
        const replicas = `\nreplicas: {{ if contains "quay.io" (.Files.Get "${LINK}") }}2{{ else }}1{{ end }}\n`;
        const chart = await writeChart(`${podOf('p', '{{ .Values.web.image }}')}${replicas}`);
        const rendered = await renderFolder(helm, chart);
        const { proof, changes } = await relocate(chart, context);
        assert.deepEqual(changes, []);
        assert.equal(proof.left.length, 1);
        assert.match(proof.objections.join(), /replicas/);
        assert.equal(await renderFolder(helm, chart), rendered);
      }));
  });
}
