import assert from 'node:assert/strict';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { packChartArchive } from '../../../src/archive/chart-archive.ts';
import { readChartFolder } from '../../../src/archive/chart-folder.ts';
import { loadChart } from '../../../src/archive/load-chart.ts';
import { DtError } from '../../../src/domain/errors.ts';
import type { RunContext } from '../../../src/workflows/context.ts';
import {
  relocateLocalChart,
  type RelocateLocalChartOptions,
  type RelocateLocalChartResult,
} from '../../../src/workflows/relocate-local-chart.ts';
import { readArchiveFiles } from '../../support/archives.ts';
import { catchError } from '../../support/assert-refused.ts';
import { NO_HELM, podOf } from '../../support/discovery-site.ts';
import { createHelmContext, HELM_TOOLS, withHelm } from '../../support/helm.ts';
import { templateChart } from '../../support/template-chart.ts';
import { requireTool } from '../../support/tools.ts';

const P = 'registry.internal:5000/mirror';
const CHART = 'apiVersion: v2\nname: shop\nversion: 1.0.0\n';
const VALUES = `# The shop
image:
  repository: quay.io/team/app     # ours
  tag: 1.10
`;
const TEMPLATE = `${podOf('p', '{{ .Values.image.repository }}:{{ .Values.image.tag }}')}    - name: fixed
      image: ghcr.io/team/fixed:1
`;
const FILES = { 'values.yaml': VALUES, 'templates/p.yaml': TEMPLATE, 'files/run.sh': '#!/bin/sh\n' };
const RELOCATED = {
  'values.yaml': VALUES.replace('quay.io', P),
  'templates/p.yaml': TEMPLATE.replace('ghcr.io', P),
};
const ENDLESS = '{{ range until 1000000 }}{{ genPrivateKey "rsa" | b64enc }}{{ end }}';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dt-test-'));
});
after(async () => {
  await rm(folder, { recursive: true });
});

let chartCount = 0;
async function writeChart(files: Readonly<Record<string, string>>): Promise<string> {
  const chart = join(folder, `chart-${String(chartCount++)}`);
  for (const [path, text] of Object.entries({ 'Chart.yaml': CHART, ...files })) {
    await mkdir(dirname(join(chart, path)), { recursive: true });
    await writeFile(join(chart, path), text);
  }
  return chart;
}

/** Every file of a folder that is no link, by its path. */
async function readTexts(chart: string): Promise<Record<string, string>> {
  const entries = await readdir(chart, { recursive: true, withFileTypes: true });
  const texts: Record<string, string> = {};
  for (const entry of entries) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    texts[path.slice(chart.length + 1)] = await readFile(path, 'utf8');
  }
  return texts;
}

async function relocate(
  path: string,
  context: RunContext,
  options: Partial<RelocateLocalChartOptions> & { readonly outside?: readonly string[] } = {},
): Promise<RelocateLocalChartResult> {
  return relocateLocalChart(
    {
      path,
      prefix: P,
      valuesFiles: ['values.yaml'],
      keepTemplates: false,
      rewritesDependencies: false,
      isCheck: false,
      ...options,
      render: { valuesFiles: options.outside ?? [], set: [], apiVersions: [] },
    },
    context,
  );
}

async function packFolder(chart: string, mtimeSeconds: number): Promise<string> {
  const archive = `${chart}.tgz`;
  await writeFile(archive, await packChartArchive('shop', await readChartFolder(chart), { mtimeSeconds }));
  return archive;
}

for (const tool of HELM_TOOLS) {
  describe(`relocateLocalChart with ${tool}`, () => {
    it('changes the files of a folder that name images, and nothing else of it', async (t) =>
      withHelm(t, tool, async (context, helm) => {
        const chart = await writeChart(FILES);
        await chmod(join(chart, 'values.yaml'), 0o640);
        await utimes(join(chart, 'files/run.sh'), 1_000, 1_000);
        const { proof, changes, isWritten } = await relocate(chart, context);
        assert.equal(isWritten, true);
        assert.deepEqual(await readTexts(chart), { 'Chart.yaml': CHART, ...FILES, ...RELOCATED });
        assert.equal((await stat(join(chart, 'values.yaml'))).mode & 0o777, 0o640);
        assert.equal((await stat(join(chart, 'files/run.sh'))).mtimeMs, 1_000_000);
        assert.equal(proof.state, 'proven');
        assert.deepEqual(proof.left, []);
        assert.deepEqual(
          proof.moved.map(({ to }) => to),
          [`${P}/team/app:1.1`, `${P}/team/fixed:1`],
        );
        assert.deepEqual(
          changes.map(({ file, line }) => `${file}:${String(line)}`),
          ['templates/p.yaml:9', 'values.yaml:3'],
        );
        const images = (await templateChart(helm, await loadChart(await readChartFolder(chart), chart))).match(
          /image: .*/g,
        );
        assert.deepEqual(images, [`image: ${P}/team/app:1.1`, `image: ${P}/team/fixed:1`]);

        const written = (await stat(join(chart, 'values.yaml'))).mtimeMs;
        assert.equal((await relocate(chart, context)).isWritten, false);
        assert.equal((await stat(join(chart, 'values.yaml'))).mtimeMs, written);
      }));

    it('relocates the values that this Helm takes of several documents, and the others by their shape', async (t) =>
      withHelm(t, tool, async (context, helm) => {
        const documents = ['first', 'second'].map((name) => `image: {repository: quay.io/team/${name}, tag: "1"}\n`);
        const values = documents.join('---\n');
        const chart = await writeChart({
          'values.yaml': values,
          'templates/p.yaml': podOf('p', '{{ .Values.image.repository }}:{{ .Values.image.tag }}'),
        });
        const { proof } = await relocate(chart, context);
        assert.deepEqual(proof.left, []);
        assert.equal(await readFile(join(chart, 'values.yaml'), 'utf8'), values.replaceAll('quay.io', P));
        const output = await templateChart(helm, await loadChart(await readChartFolder(chart), chart));
        assert.match(output, new RegExp(`image: ${P}/team/(?:first|second):1`));
      }));

    it('leaves what a values file from outside says, and names the file', async (t) =>
      withHelm(t, tool, async (context) => {
        const chart = await writeChart(FILES);
        const site = join(folder, `site-${tool}.yaml`);
        const text = 'image: {repository: ghcr.io/site/app, tag: "2"}\n';
        await writeFile(site, text);
        const { proof } = await relocate(chart, context, { outside: [site] });
        assert.deepEqual(
          proof.left.map(({ reference, why, origins }) => [
            reference,
            why,
            origins.map(({ line, path }) => [line, path]),
          ]),
          [['ghcr.io/site/app:2', 'values', [[1, 'image.repository']]]],
        );
        assert.ok(proof.left[0]?.origins[0]?.file.includes(`site-${tool}.yaml`));
        assert.equal(await readFile(site, 'utf8'), text);
        assert.deepEqual(await readTexts(chart), { 'Chart.yaml': CHART, ...FILES, ...RELOCATED });
      }));
  });
}

describe('relocateLocalChart', () => {
  it('replaces an archive by one that is the same every time', async (t) =>
    withHelm(t, 'helm3', async (context, helm) => {
      const chart = await writeChart(FILES);
      const archive = await packFolder(chart, 1_000);
      const original = await readFile(archive);
      const { isWritten } = await relocate(archive, context);
      assert.equal(isWritten, true);
      const first = await readFile(archive);
      const files = await readArchiveFiles(archive);
      assert.equal(String(files.get('values.yaml')), RELOCATED['values.yaml']);
      assert.equal(String(files.get('templates/p.yaml')), RELOCATED['templates/p.yaml']);
      assert.equal(files.size, 4);

      await writeFile(archive, original);
      await relocate(archive, context);
      assert.ok(first.equals(await readFile(archive)));
      assert.equal((await relocate(archive, context)).isWritten, false);
      assert.ok(first.equals(await readFile(archive)));

      await writeFile(archive, original);
      await relocate(archive, await createHelmContext(helm, { SOURCE_DATE_EPOCH: '1700000000' }));
      assert.ok(!first.equals(await readFile(archive)));
      assert.deepEqual(await readArchiveFiles(archive), files);
    }));

  it('changes nothing with isCheck, and says what it would change', async (t) =>
    withHelm(t, 'helm3', async (context) => {
      const chart = await writeChart(FILES);
      const archive = await packFolder(chart, 0);
      const bytes = await readFile(archive);
      for (const path of [chart, archive]) {
        const { changes, proof, isWritten } = await relocate(path, context, { isCheck: true });
        assert.equal(isWritten, false);
        assert.equal(changes.length, 2);
        assert.equal(proof.moved.length, 2);
      }
      assert.deepEqual(await readTexts(chart), { 'Chart.yaml': CHART, ...FILES });
      assert.ok(bytes.equals(await readFile(archive)));
    }));

  it('leaves templates alone with keepTemplates, and names the place', async (t) =>
    withHelm(t, 'helm3', async (context) => {
      const chart = await writeChart(FILES);
      const { proof } = await relocate(chart, context, { keepTemplates: true });
      assert.deepEqual(
        proof.left.map(({ reference, why, object, path, origins }) => [
          reference,
          why,
          object,
          path,
          origins.map(({ file, line }) => `${file}:${String(line)}`),
        ]),
        [['ghcr.io/team/fixed:1', 'hard-coded', 'Pod/p', 'spec.containers[1].image', ['templates/p.yaml:9']]],
      );
      assert.equal(await readFile(join(chart, 'templates/p.yaml'), 'utf8'), TEMPLATE);
      assert.equal(await readFile(join(chart, 'values.yaml'), 'utf8'), RELOCATED['values.yaml']);
    }));

  it('relocates other values files of the chart, proven with each of them', async (t) =>
    withHelm(t, 'helm3', async (context) => {
      const pro = 'image: {repository: ghcr.io/pro/app, tag: "3"}\n';
      const chart = await writeChart({ ...FILES, 'values-pro.yaml': pro });
      const { proof } = await relocate(chart, context, { valuesFiles: ['values.yaml', 'values-pro.yaml'] });
      assert.ok(proof.moved.some(({ from, to }) => from === 'ghcr.io/pro/app:3' && to === `${P}/pro/app:3`));
      assert.equal(
        await readFile(join(chart, 'values-pro.yaml'), 'utf8'),
        `image: {repository: ${P}/pro/app, tag: "3"}\n`,
      );
    }));

  it('goes by the shape of the values without Helm, and says that it is unproven', async () => {
    const chart = await writeChart(FILES);
    const { proof, isWritten } = await relocate(chart, await createHelmContext(NO_HELM));
    assert.equal(isWritten, true);
    assert.deepEqual([proof.state, proof.renderCount, proof.moved, proof.left], ['unproven', 0, [], []]);
    assert.match(proof.reason ?? '', /HELM_BIN/);
    assert.deepEqual(await readTexts(chart), {
      'Chart.yaml': CHART,
      ...FILES,
      'values.yaml': RELOCATED['values.yaml'],
    });
  });

  it('goes by the shape of the values with a Helm that does not work', async () => {
    const chart = await writeChart(FILES);
    const { proof } = await relocate(chart, await createHelmContext('/bin/false'));
    assert.equal(proof.state, 'unproven');
    assert.equal(await readFile(join(chart, 'values.yaml'), 'utf8'), RELOCATED['values.yaml']);
  });

  it('says what Helm says of a chart that does not render', async (t) =>
    withHelm(t, 'helm3', async (context) => {
      const chart = await writeChart({
        ...FILES,
        'templates/q.yaml': '{{ required "give me a domain" .Values.domain }}',
      });
      const { proof } = await relocate(chart, context);
      assert.equal(proof.state, 'unproven');
      assert.match(proof.reason ?? '', /give me a domain/);
      assert.equal(await readFile(join(chart, 'values.yaml'), 'utf8'), RELOCATED['values.yaml']);
    }));

  it('changes nothing when it is interrupted', async (t) => {
    const helm = requireTool(t, 'helm3');
    if (helm === undefined) return;
    const chart = await writeChart({ ...FILES, 'templates/q.yaml': ENDLESS });
    const texts = await readTexts(chart);
    const interruption = new AbortController();
    setTimeout(() => {
      interruption.abort();
    }, 500);
    const error = await catchError(relocate(chart, await createHelmContext(helm, {}, interruption.signal)));
    assert.ok(error instanceof DtError);
    assert.equal(error.code, 'DT_INTERRUPTED');
    assert.deepEqual(await readTexts(chart), texts);
  });

  it('leaves links inside of the chart links, and changes what they lead to', async (t) =>
    withHelm(t, 'helm3', async (context) => {
      const { 'values.yaml': values, ...files } = FILES;
      const chart = await writeChart({ ...files, 'real/values.yaml': values });
      await symlink('real/values.yaml', join(chart, 'values.yaml'));
      await symlink('p.yaml', join(chart, 'templates/q.yaml'));
      const { proof } = await relocate(chart, context);
      assert.deepEqual(proof.left, []);
      for (const link of ['values.yaml', 'templates/q.yaml']) {
        assert.ok((await lstat(join(chart, link))).isSymbolicLink(), link);
      }
      assert.deepEqual(await readTexts(chart), {
        'Chart.yaml': CHART,
        ...files,
        'real/values.yaml': RELOCATED['values.yaml'],
        'templates/p.yaml': RELOCATED['templates/p.yaml'],
      });
    }));

  it('refuses a chart that is not there, a values file that it does not have, and a prefix that is none', async (t) =>
    withHelm(t, 'helm3', async (context) => {
      const chart = await writeChart(FILES);
      for (const [code, path, options] of [
        ['DT_FILE_NOT_FOUND', join(folder, 'missing'), {}],
        ['DT_FILE_NOT_FOUND', chart, { valuesFiles: ['values.yaml', 'values-none.yaml'] }],
        ['DT_FILE_NOT_FOUND', chart, { outside: [join(folder, 'missing.yaml')] }],
        ['DT_BAD_PREFIX', chart, { prefix: 'https://registry.internal' }],
      ] as const) {
        const error = await catchError(relocate(path, context, options));
        assert.ok(error instanceof DtError, String(error));
        assert.equal(error.code, code);
      }
      assert.deepEqual(await readTexts(chart), { 'Chart.yaml': CHART, ...FILES });
    }));
});
