import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { packChartArchive } from '../../../src/archive/chart-archive.ts';
import { readChartFolder } from '../../../src/archive/chart-folder.ts';
import { DtError } from '../../../src/domain/errors.ts';
import { SilentReporter } from '../../../src/output/silent-reporter.ts';
import { annotateChart } from '../../../src/workflows/annotate-chart.ts';
import type { RunContext } from '../../../src/workflows/context.ts';
import type { ValuesFile } from '../../../src/helm/render-input.ts';
import { readRenderSettings } from '../../../src/workflows/discovery/read-values-files.ts';
import { relocateLocalChart, type RelocateLocalChartResult } from '../../../src/workflows/relocate-local-chart.ts';
import { catchError } from '../../support/assert-refused.ts';
import { NO_HELM, podOf } from '../../support/discovery-site.ts';
import { createHelmContext } from '../../support/helm.ts';
import { requireTool } from '../../support/tools.ts';

const P = 'registry.internal:5000/mirror';
const VALUES = 'image:\n  repository: quay.io/team/app\n  tag: "1"\n';

let folder = '';
let chart = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dt-test-'));
  chart = join(folder, 'shop');
  await mkdir(chart);
  await writeFile(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: shop\nversion: 1.0.0\n');
  await writeFile(join(chart, 'values.yaml'), VALUES);
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** A Helm that does nothing but what a user may do meanwhile. */
async function createEditingContext(command: string): Promise<RunContext> {
  const helm = join(folder, 'helm');
  await writeFile(helm, `#!/bin/sh\n${command}\nexit 1\n`, { mode: 0o755 });
  return createHelmContext(helm);
}

async function relocate(path: string, context: RunContext): Promise<RelocateLocalChartResult> {
  return relocateLocalChart(
    {
      path,
      prefix: P,
      valuesFiles: ['values.yaml'],
      keepTemplates: false,
      isCheck: false,
      render: { valuesFiles: [], set: [], apiVersions: [] },
    },
    context,
  );
}

async function packShop(): Promise<string> {
  const archive = join(folder, 'shop.tgz');
  await writeFile(archive, await packChartArchive('shop', await readChartFolder(chart), { mtimeSeconds: 0 }));
  return archive;
}

describe('relocateLocalChart', () => {
  it('does not overwrite what is edited while it works', async () => {
    const archive = await packShop();
    for (const [path, file] of [
      [chart, join(chart, 'values.yaml')],
      [archive, archive],
    ] as const) {
      const context = await createEditingContext(`printf edited > '${file}'`);
      const error = await catchError(relocate(path, context));
      assert.ok(error instanceof DtError, String(error));
      assert.equal(error.code, 'DT_OUTPUT_FAILED');
      assert.match(error.message, /was changed meanwhile$/);
      assert.equal(await readFile(file, 'utf8'), 'edited');
    }
    assert.deepEqual((await readdir(folder)).toSorted(), ['helm', 'shop', 'shop.tgz']);
    assert.deepEqual((await readdir(chart)).toSorted(), ['Chart.yaml', 'values.yaml']);
  });

  it('warns that the provenance beside an archive no longer applies, once it has changed the archive', async () => {
    const archive = await packShop();
    const base = await createHelmContext(NO_HELM);
    const warnings: string[] = [];
    const reporter = new SilentReporter({ write: () => undefined, showsWarnings: false });
    reporter.warn = (text) => {
      warnings.push(text);
    };
    const run = async (): Promise<readonly string[]> => {
      warnings.length = 0;
      await relocate(archive, { ...base, reporter });
      return warnings.filter((text) => text.includes('.prov'));
    };
    const original = await readFile(archive);
    assert.deepEqual(await run(), []);
    await writeFile(archive, original);
    await writeFile(`${archive}.prov`, 'signed');
    assert.deepEqual(await run(), [`${archive}.prov signs the chart as it was before: sign the chart again`]);
    assert.deepEqual(await run(), []);
    assert.equal(await readFile(`${archive}.prov`, 'utf8'), 'signed');
  });
});

describe('annotateChart', () => {
  it('does not overwrite what is edited while it works', async (t) => {
    const helm = requireTool(t, 'helm3');
    if (helm === undefined) return;
    await mkdir(join(chart, 'templates'));
    await writeFile(join(chart, 'templates/p.yaml'), podOf('p', 'quay.io/team/app:1'));
    const archive = await packShop();
    const search = { valuesFiles: [], set: [], apiVersions: [], allVariants: false, includesLikely: false };
    for (const [path, file] of [
      [chart, join(chart, 'Chart.yaml')],
      [archive, archive],
    ] as const) {
      const context = await createEditingContext(`printf edited > '${file}'\nexec '${helm}' "$@"`);
      const error = await catchError(annotateChart({ chart: path, search }, context));
      assert.ok(error instanceof DtError, String(error));
      assert.equal(error.code, 'DT_OUTPUT_FAILED');
      assert.match(error.message, /was changed meanwhile$/);
      assert.equal(await readFile(file, 'utf8'), 'edited');
    }
  });
});

describe('readRenderSettings', () => {
  const readValuesFiles = (valuesFiles: readonly string[]): readonly ValuesFile[] =>
    readRenderSettings({ valuesFiles, set: [], apiVersions: [] }).valuesFiles;

  const place = (name: string): string => join(folder, name);

  it('gives the bytes of the files', async () => {
    await writeFile(place('a.yaml'), 'a: ü\r\n');
    await writeFile(place('b.yaml'), '');
    assert.deepEqual(
      readValuesFiles([place('a.yaml'), place('b.yaml')]).map(({ name, bytes }) => [name, String(bytes)]),
      [
        [place('a.yaml'), 'a: ü\r\n'],
        [place('b.yaml'), ''],
      ],
    );
  });

  it('refuses what is no values file', async () => {
    await writeFile(place('latin1.yaml'), Buffer.from('a: \xfc', 'latin1'));
    await writeFile(place('large.yaml'), Buffer.alloc(16 * 1024 * 1024 + 1, ' '));
    for (const [name, code] of [
      ['missing.yaml', 'DT_FILE_NOT_FOUND'],
      ['shop', 'DT_CONFIG_INVALID'],
      ['large.yaml', 'DT_CONFIG_INVALID'],
      ['latin1.yaml', 'DT_YAML_INVALID'],
    ] as const) {
      assert.throws(() => readValuesFiles([place(name)]), { code }, name);
    }
  });
});
