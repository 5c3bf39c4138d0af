import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { ChartTree } from '../../../../src/domain/chart/chart-tree.ts';
import { isDtError, type ErrorCode } from '../../../../src/domain/errors.ts';
import {
  buildChart,
  GOLDEN,
  readFolder,
  relocateWith,
  textsOf,
  type RelocateFilesOptions,
} from '../../../support/relocation-fixtures.ts';

const CHART = 'apiVersion: v2\nname: c\nversion: 1.0.0\n';
const VALUES = 'image:\n  registry: docker.io\n  repository: a/bb\n  tag: x\n';
const NEW_VALUES = 'image:\n  registry: acme.com\n  repository: federal/a/bb\n  tag: x\n';

async function relocateFiles(files: Readonly<Record<string, string>>, options: RelocateFilesOptions = {}) {
  const result = await relocateWith(buildChart(new Map(Object.entries(files))), options);
  return { ...result, texts: textsOf(result.tree) };
}

function defectFiles(name: string): Record<string, string> {
  return Object.fromEntries(readFolder(join(GOLDEN, 'defects', name, 'input/c')));
}

async function assertFails(
  files: Readonly<Record<string, string>>,
  code: ErrorCode,
  options: RelocateFilesOptions = {},
): Promise<void> {
  await assert.rejects(relocateFiles(files, options), (error) => isDtError(error, code));
}

/** A chart whose annotation has this text, in a literal block. */
function annotated(text: string, key = 'images'): string {
  return `${CHART}annotations:\n  ${key}: |\n${text.replace(/^(?=.)/gm, '    ')}`;
}

describe('annotations', () => {
  it('annotation-extra-fields-lost', async () => {
    const files = defectFiles('annotation-extra-fields-lost');
    const { texts } = await relocateFiles(files, { annotationKeys: ['artifacthub.io/images'] });
    assert.equal(
      texts.get('Chart.yaml'),
      files['Chart.yaml']?.replace('image: a/image', 'image: acme.com/federal/a/image'),
    );
  });

  it('annotation-name-reordered', async () => {
    const files = defectFiles('annotation-name-reordered');
    const wanted = files['Chart.yaml']?.replace('quay.io/', 'acme.com/federal/').replace(' a/', ' acme.com/federal/a/');
    assert.equal((await relocateFiles(files)).texts.get('Chart.yaml'), wanted);
  });

  it('annotation-key-with-quote-fails', async () => {
    const files = defectFiles('annotation-key-with-quote-fails');
    const { texts } = await relocateFiles(files, { annotationKeys: ["it's"] });
    assert.equal(texts.get('Chart.yaml'), files['Chart.yaml']?.replace('a/image', 'acme.com/federal/a/image'));
  });

  it('reference-localhost-without-port and reference-tag-and-digest-loses-tag', async () => {
    const local = await relocateFiles(defectFiles('reference-localhost-without-port'));
    assert.deepEqual(
      local.changes.map(({ to, line, path }) => [to, line, path]),
      [['acme.com/federal/team/app:1', 7, 'annotations.images[0].image']],
    );
    const both = await relocateFiles(defectFiles('reference-tag-and-digest-loses-tag'));
    assert.equal(both.changes[0]?.to, `acme.com/federal/x/yy:1.2@sha256:${'b'.repeat(64)}`);
  });

  const styles: readonly (readonly [string, string])[] = [
    ['images: "- name: x\\n  image: \\"a/b:1\\" # c\\n"', 'a/b:1'],
    ["images: '- image: ''a/b:1'' '", 'a/b:1'],
    ['images: >-\n    - name: x\n      image: a/b:1\n    - image: a/b:1', 'a/b:1'],
    ['images: |+\r\n\r\n    - image: a/b:1\r\n\r\n', 'a/b:1'],
    ['images: \'[{"name": "x", "image": "a/b:1"}]\'', 'a/b:1'],
    ['images: "- image: \\x61/b:1"', '\\x61/b:1'],
  ];
  for (const [style, image] of styles) {
    it(`keeps the style of ${JSON.stringify(style)}`, async () => {
      const chart = `${CHART}annotations:\n  ${style}\n`;
      const { texts } = await relocateFiles({ 'Chart.yaml': chart });
      assert.equal(texts.get('Chart.yaml'), chart.replaceAll(image, 'acme.com/federal/a/b:1'));
    });
  }

  it('relocates all keys given and leaves others', async () => {
    const chart = `${annotated('- image: a/b\n')}  helm.sh/images: |\n    - image: a/c:1\n  other: |\n    - image: a/d:1\n`;
    const { texts, declared } = await relocateFiles(
      { 'Chart.yaml': chart },
      { annotationKeys: ['images', 'helm.sh/images'] },
    );
    const wanted = chart.replace(' a/b', ' acme.com/federal/a/b:latest').replace(' a/c', ' acme.com/federal/a/c');
    assert.equal(texts.get('Chart.yaml'), wanted);
    assert.equal(declared.length, 2);
  });

  it('takes an empty annotation for an empty list', async () => {
    assert.deepEqual((await relocateFiles({ 'Chart.yaml': annotated('# none\n') })).changes, []);
  });

  for (const text of ['name: x\n', '- x\n', '- name: x\n', '- image: 1\n', 'a: [\n', '- image: *x\n']) {
    it(`refuses ${JSON.stringify(text)}`, async () => {
      await assertFails({ 'Chart.yaml': annotated(text) }, 'DT_ANNOTATION_INVALID');
    });
  }

  it('refuses an annotation below a repeated key', async () => {
    const chart = `${annotated('- image: a/b\n')}  images: ''\n`;
    await assertFails({ 'Chart.yaml': chart.replace("images: ''", "images: '- image: a/c'") }, 'DT_RELOCATION_FAILED');
  });

  it('refuses a repeated key inside the annotation', async () => {
    await assertFails({ 'Chart.yaml': annotated('- image: a/b\n  image: a/c\n') }, 'DT_RELOCATION_FAILED');
  });

  it('refuses a bad reference before anything is returned (partial-relocation-on-error)', async () => {
    await assertFails(defectFiles('partial-relocation-on-error'), 'DT_BAD_REFERENCE');
  });
});

describe('Images.lock and images.yml', () => {
  it('lock-fields-lost', async () => {
    const files = defectFiles('lock-fields-lost');
    const lock = files['Images.lock'] ?? '';
    const { texts, changes } = await relocateFiles(files);
    assert.notEqual(texts.get('Images.lock'), lock);
    const wanted = changes
      .filter(({ file }) => file === 'Images.lock')
      .reduce((text, { from, to }) => text.replaceAll(`image: ${from}`, `image: ${to}`), lock);
    assert.equal(texts.get('Images.lock'), wanted);
  });

  it('keeps the mode', async () => {
    const chart = buildChart(new Map([['Images.lock', 'images:\n- image: a/b:1\n']]));
    const tree = chart.tree.map((entry) => ({ ...entry, mode: 0o640 }));
    const result = await relocateWith({ ...chart, tree });
    assert.equal(result.tree[0]?.mode, 0o640);
    assert.equal(result.changes.length, 1);
  });

  for (const lock of ['', '[]\n', 'images: x\n', 'images: [x]\n', 'images: [{name: x}]\n']) {
    it(`refuses ${JSON.stringify(lock)}`, async () => {
      await assertFails({ 'Images.lock': lock }, 'DT_LOCK_INVALID');
    });
  }
});

describe('values files', () => {
  it('normalises names, refuses what no chart has', async () => {
    const files = {
      'Chart.yaml': CHART,
      'values.yaml': VALUES,
      'charts/a/Chart.yaml': CHART,
      'charts/a/ci/x.yaml': VALUES,
    };
    const { texts } = await relocateFiles(files, { valuesFiles: ['./values.yaml', 'ci//x.yaml'] });
    assert.equal(texts.get('values.yaml'), NEW_VALUES);
    assert.equal(texts.get('charts/a/ci/x.yaml'), NEW_VALUES);
    await assertFails(files, 'DT_FILE_NOT_FOUND', { valuesFiles: ['nope.yaml'] });
    await assertFails(files, 'DT_FILE_NOT_FOUND', { valuesFiles: ['../values.yaml'] });
  });

  it('values-file-in-helmignore', async () => {
    const files = defectFiles('values-file-in-helmignore');
    const { texts } = await relocateFiles(files, { valuesFiles: ['values.yaml', 'values.prod.yaml'] });
    assert.match(texts.get('values.prod.yaml') ?? '', /repository: federal\/x\/zz/);
  });

  it('keeps a byte order mark and CRLF', async () => {
    const values = `\ufeff${VALUES.replaceAll('\n', '\r\n')}`;
    const { texts } = await relocateFiles({ 'values.yaml': values });
    assert.equal(texts.get('values.yaml'), `\ufeff${NEW_VALUES.replaceAll('\n', '\r\n')}`);
  });

  it('refuses what is not UTF-8', async () => {
    const chart = buildChart(new Map([['values.yaml', VALUES]]));
    const tree = chart.tree.map((entry) => ({ ...entry, bytes: Uint8Array.of(0x61, 0x3a, 0x20, 0xff) }));
    await assert.rejects(relocateWith({ ...chart, tree }), (error) => isDtError(error, 'DT_YAML_INVALID'));
  });

  it('names declared images that no values file has', async () => {
    const chart = annotated('- image: a/bb:x\n- image: quay.io/t/emplate:1\n- image: quay.io/t/emplate:2\n');
    const { unplaced } = await relocateFiles({ 'Chart.yaml': chart, 'values.yaml': VALUES });
    assert.deepEqual(unplaced, ['quay.io/t/emplate:1']);
  });

  it('uses what a subchart declares as evidence in the values of its parent', async () => {
    const values = 'a:\n  image: quay.io/x/y:1\n';
    const files = { 'values.yaml': values, 'charts/a/Chart.yaml': annotated('- image: quay.io/x/y:1\n') };
    assert.equal((await relocateFiles(files)).texts.get('values.yaml'), 'a:\n  image: acme.com/federal/x/y:1\n');
  });
});

describe('subcharts', () => {
  it('subchart-folder-name-differs', async () => {
    const files = defectFiles('subchart-folder-name-differs');
    const { changes } = await relocateFiles(files);
    assert.ok(changes.some(({ file }) => file.startsWith('charts/')));
  });

  it('packs a changed archive again, at every depth, and leaves others', async () => {
    const inner = buildChart(new Map([['values.yaml', VALUES]]));
    const outer = buildChart(new Map([['values.yaml', 'a: 1\n']]), { 'charts/inner-1.tgz': inner });
    const still = buildChart(new Map([['values.yaml', 'a: 1\n']]));
    const chart = buildChart(new Map([['Chart.yaml', CHART]]), {
      'charts/outer.tgz': outer,
      'charts/still.tgz': still,
    });
    const packed: string[] = [];
    const repackSubchart = (_: unknown, tree: ChartTree): Promise<Uint8Array> => {
      packed.push([...textsOf(tree)].map(([path, text]) => `${path}=${text}`).join(''));
      return Promise.resolve(new TextEncoder().encode(`packed ${String(packed.length)}`));
    };
    const result = await relocateWith(chart, { repackSubchart });
    assert.deepEqual(packed, [`values.yaml=${NEW_VALUES}`, 'charts/inner-1.tgz=packed 1values.yaml=a: 1\n']);
    const texts = textsOf(result.tree);
    assert.equal(texts.get('charts/outer.tgz'), 'packed 2');
    assert.equal(texts.get('charts/still.tgz'), 'archive');
    assert.equal(result.changes[0]?.file, 'charts/outer.tgz/charts/inner-1.tgz/values.yaml');
    assert.equal(result.tree.find(({ path }) => path === 'charts/outer.tgz')?.mode, 0o600);
  });

  it('fails as a whole if an archive cannot be packed', async () => {
    const chart = buildChart(new Map([['values.yaml', VALUES]]), {
      'charts/x.tgz': buildChart(new Map([['values.yaml', VALUES]])),
    });
    await assert.rejects(relocateWith(chart));
    assert.equal(textsOf(chart.tree).get('values.yaml'), VALUES);
  });

  it('returns the very tree if nothing changes', async () => {
    const chart = buildChart(
      new Map([
        ['values.yaml', NEW_VALUES],
        ['charts/a/Chart.yaml', CHART],
      ]),
    );
    assert.equal((await relocateWith(chart)).tree, chart.tree);
  });
});
