import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { isDtError } from '../../../src/domain/errors.ts';
import { findChartImages, type FindChartImagesOptions } from '../../../src/workflows/find-chart-images.ts';
import { catchError } from '../../support/assert-refused.ts';
import { createHelmContext, requireHelmContext } from '../../support/helm.ts';
import type { RunContext } from '../../../src/workflows/context.ts';

const POD = 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  containers:\n    - name: c\n      image: ';
const CHART = 'apiVersion: v2\nname: shop\nversion: 1.0.0\n';
const ANNOTATION = 'annotations:\n  images: |\n    - {name: declared, image: "quay.io/team/declared:1"}\n';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'dt-test-'));
});
after(async () => {
  await rm(folder, { recursive: true });
});

let chartCount = 0;
async function writeChart(files: Readonly<Record<string, string>>): Promise<string> {
  const chart = join(folder, String(chartCount++));
  for (const [path, text] of Object.entries({ 'Chart.yaml': CHART, ...files })) {
    await mkdir(dirname(join(chart, path)), { recursive: true });
    await writeFile(join(chart, path), text);
  }
  return chart;
}

function optionsFor(location: string, options: Partial<FindChartImagesOptions> = {}): FindChartImagesOptions {
  return {
    source: { location },
    valuesFiles: [],
    set: [],
    apiVersions: [],
    allVariants: false,
    checksLikely: false,
    ...options,
  };
}

async function withHelm(t: TestContext, run: (context: RunContext) => Promise<void>): Promise<void> {
  const context = await requireHelmContext(t, 'helm3');
  if (context !== undefined) await run(context);
}

describe('findChartImages', () => {
  it('renders with values files and assignments of the user, and says where an image comes from', async (t) =>
    withHelm(t, async (context) => {
      const chart = await writeChart({
        'values.yaml': 'image: quay.io/team/default:1\n',
        'templates/p.yaml': `${POD}{{ .Values.image }}\n`,
      });
      // The chart has a file of this name too.
      const file = join(folder, 'values.yaml');
      await writeFile(file, '# site\nimage: quay.io/team/site:2\n');
      const { images } = await findChartImages(optionsFor(chart, { valuesFiles: [file] }), context);
      assert.deepEqual(
        images.map(({ reference, confidence, reasons }) => [
          reference,
          confidence,
          reasons.flatMap((reason) =>
            reason.kind === 'rendering' ? reason.origins.map((origin) => `${origin.file}:${String(origin.line)}`) : [],
          ),
        ]),
        [
          ['quay.io/team/site:2', 'rendered', [`-f ${file}:2`]],
          ['quay.io/team/default:1', 'dormant', []],
        ],
      );
      const other = await findChartImages(optionsFor(chart, { set: ['image=quay.io/team/set:3'] }), context);
      assert.equal(other.images[0]?.reference, 'quay.io/team/set:3');
    }));

  it('goes on with what a chart declares when it does not render', async (t) =>
    withHelm(t, async (context) => {
      const chart = await writeChart({
        'Chart.yaml': CHART + ANNOTATION,
        'templates/p.yaml': '{{ required "give a domain" .Values.domain }}',
      });
      const { images, rendering, warnings } = await findChartImages(optionsFor(chart), context);
      assert.deepEqual(
        images.map(({ reference, name, confidence }) => [reference, name, confidence]),
        [['quay.io/team/declared:1', 'declared', 'declared']],
      );
      assert.equal(rendering, 'failed');
      assert.match(warnings.join(), /give a domain/);
    }));

  it('fails if nothing is found', async (t) =>
    withHelm(t, async (context) => {
      const failing = await writeChart({
        // The shape of values is no proof.
        'values.yaml': 'image: {repository: quay.io/team/shape, tag: 1}\n',
        'templates/p.yaml': '{{ required "give a domain" .Values.domain }}',
      });
      const empty = await writeChart({ 'templates/c.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n' });
      assert.ok(isDtError(await catchError(findChartImages(optionsFor(failing), context)), 'DT_CHART_NOT_RENDERED'));
      assert.ok(isDtError(await catchError(findChartImages(optionsFor(empty), context)), 'DT_CHART_NO_IMAGES'));
    }));

  it('works without Helm from declarations and shapes, and says so', async () => {
    const chart = await writeChart({
      'Chart.yaml': CHART + ANNOTATION,
      'values.yaml': 'image: {repository: quay.io/team/shape, tag: 7}\n',
      'templates/p.yaml': `${POD}quay.io/team/literal:1\n`,
      'images-lock.yaml': 'images:\n  - {name: locked, image: "quay.io/team/locked:1"}\n',
    });
    const context = { ...(await createHelmContext('unused')), environment: { PATH: folder } };
    const { images, rendering, warnings } = await findChartImages(optionsFor(chart), context);
    assert.deepEqual(
      images.map(({ reference, confidence }) => `${confidence} ${reference}`),
      ['declared quay.io/team/declared:1', 'declared quay.io/team/locked:1', 'dormant quay.io/team/shape:7'],
    );
    assert.equal(rendering, 'no-helm');
    assert.match(warnings.join(), /no Helm/);
  });

  it('refuses a values file that is not there or no text', async () => {
    const chart = await writeChart({});
    const context = await createHelmContext('unused');
    const missing = findChartImages(optionsFor(chart, { valuesFiles: [join(folder, 'missing.yaml')] }), context);
    assert.ok(isDtError(await catchError(missing), 'DT_FILE_NOT_FOUND'));
    const binary = join(folder, 'binary.yaml');
    await writeFile(binary, Buffer.from([0xff, 0xfe, 0x00]));
    assert.ok(
      isDtError(
        await catchError(findChartImages(optionsFor(chart, { valuesFiles: [binary] }), context)),
        'DT_YAML_INVALID',
      ),
    );
  });

  it('tries each feature alone if it should look at all variants', async (t) =>
    withHelm(t, async (context) => {
      const chart = await writeChart({
        'values.yaml': 'a: false\nb: false\n',
        'templates/p.yaml': `${POD}{{ if .Values.a }}quay.io/team/{{ if .Values.b }}both{{ else }}only-a{{ end }}:1{{ else }}quay.io/team/app:1{{ end }}\n`,
      });
      const find = async (allVariants: boolean): Promise<string[]> =>
        (await findChartImages(optionsFor(chart, { allVariants }), context)).images.map(({ reference }) => reference);
      assert.deepEqual(await find(false), ['quay.io/team/app:1', 'quay.io/team/both:1']);
      assert.deepEqual(await find(true), ['quay.io/team/app:1', 'quay.io/team/both:1', 'quay.io/team/only-a:1']);
    }));

  it('says how many features cannot be switched on, each once', async (t) =>
    withHelm(t, async (context) => {
      const chart = await writeChart({
        'values.yaml': 'bad: false\na: false\nb: false\n',
        'templates/p.yaml': `{{ if or .Values.bad (and .Values.a .Values.b) }}{{ fail "no" }}{{ end }}\n${POD}quay.io/team/app:1\n`,
      });
      for (const allVariants of [false, true]) {
        const { warnings } = await findChartImages(optionsFor(chart, { allVariants }), context);
        assert.deepEqual(warnings, ['1 feature could not be switched on to look for more images']);
      }
    }));
});
