import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseChartMetadata } from '../../../../src/domain/chart/chart-metadata.ts';
import type { Chart } from '../../../../src/domain/chart/chart.ts';
import { readChartImages } from '../../../../src/domain/chart/images-annotation.ts';

interface TestChart {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly dependencies?: readonly { readonly name: string; readonly alias?: string }[];
  readonly subcharts?: readonly Chart[];
}

function chartOf(name: string, { annotations = {}, dependencies = [], subcharts = [] }: TestChart = {}): Chart {
  return {
    metadata: parseChartMetadata(JSON.stringify({ name, version: '1.0.0', annotations, dependencies }), 'Chart.yaml'),
    tree: [],
    subcharts: subcharts.map((chart) => ({ path: `charts/${chart.metadata.name}`, isPacked: false, chart })),
  };
}
const images = (text: string): TestChart => ({ annotations: { images: text } });
const listed = (chart: Chart, annotationsKey?: string): string[] =>
  readChartImages(chart, { annotationsKey }).map((image) => `${image.chart} ${image.name} ${image.image}`);

test('the three annotations are merged, the first key wins', () => {
  const chart = chartOf('c', {
    annotations: {
      'artifacthub.io/images': '- {name: late, image: a/one:1}\n- {name: three, image: a/three:1, whitelisted: true}',
      'helm.sh/images': '- {name: two, image: a/two:1}\n- {name: other, image: a/one:1}',
      images: '- {name: one, image: a/one:1}\n- {name: again, image: a/one:1}\n- {name: one, image: a/one:1}',
    },
  });
  assert.deepEqual(readChartImages(chart), [
    { name: 'one', image: 'a/one:1', chart: 'c', annotationKey: 'images' },
    { name: 'again', image: 'a/one:1', chart: 'c', annotationKey: 'images' },
    { name: 'two', image: 'a/two:1', chart: 'c', annotationKey: 'helm.sh/images' },
    { name: 'three', image: 'a/three:1', chart: 'c', annotationKey: 'artifacthub.io/images' },
  ]);
  assert.deepEqual(listed(chart, 'helm.sh/images'), ['c two a/two:1', 'c other a/one:1']);
  assert.deepEqual(listed(chart, 'absent'), []);
  assert.deepEqual(listed(chart, 'constructor'), []);
});

test('a missing name is the last part of the repository', () => {
  const chart = chartOf('c', images('- image: registry.example.com:5000/a/b/tool:1\n- image: nginx'));
  assert.deepEqual(listed(chart), ['c tool registry.example.com:5000/a/b/tool:1', 'c nginx nginx']);
});

test('subcharts follow depth first; the same image counts again under another chart', () => {
  const text = images('- {name: a, image: x/a:1}');
  const gamma = chartOf('gamma', text);
  const chart = chartOf('c', {
    ...text,
    subcharts: [chartOf('alpha', { ...text, subcharts: [gamma] }), chartOf('beta', text)],
  });
  assert.deepEqual(listed(chart), ['c a x/a:1', 'alpha a x/a:1', 'gamma a x/a:1', 'beta a x/a:1']);
});

test('two charts with one name count once', () => {
  const text = images('- {name: a, image: x/a:1}');
  assert.deepEqual(listed(chartOf('c', { subcharts: [chartOf('a', text), chartOf('a', text)] })), ['a a x/a:1']);
});

for (const empty of ['', '# later\n', '[]', 'null']) {
  test(`the annotation ${JSON.stringify(empty)} is an empty list`, () => {
    assert.deepEqual(listed(chartOf('c', images(empty))), []);
  });
}

const BAD_ANNOTATIONS: Readonly<Record<string, string>> = {
  'a map': 'a: b',
  'a text': 'hello',
  'a list of texts': '- a/b:1',
  'an entry without image': '- name: a',
  'an entry with an empty image': '- {name: a, image: ""}',
  'an entry whose image is a list': '- {name: a, image: [x]}',
  'an entry whose name is a map': '- {name: {}, image: x}',
  'broken YAML': '- [',
};
for (const [what, text] of Object.entries(BAD_ANNOTATIONS)) {
  test(`${what} is refused`, () => {
    assert.throws(() => readChartImages(chartOf('c', images(text))), { code: 'DT_ANNOTATION_INVALID' });
  });
}

for (const image of ['oci://a/b:1', 'https://a/b', 'A/b', 'a/b:', 'a/b@sha256:1', '-a']) {
  test(`the reference ${image} is refused`, () => {
    assert.throws(() => readChartImages(chartOf('c', images(JSON.stringify([{ name: 'a', image }])))), {
      code: 'DT_BAD_REFERENCE',
    });
  });
}

test('an alias that is used twice needs one chart', () => {
  const dependencies = [
    { name: 'a', alias: 'one' },
    { name: 'a', alias: 'two' },
  ];
  assert.deepEqual(listed(chartOf('c', { dependencies, subcharts: [chartOf('a')] })), []);
});

test('one missing dependency is an error that names it and says what to do', () => {
  const chart = chartOf('c', {
    dependencies: [{ name: 'a' }, { name: 'b' }, { name: 'd' }],
    subcharts: [chartOf('b')],
  });
  assert.throws(
    () => readChartImages(chart),
    (error: Error & { code?: string; hints?: string[] }) => {
      assert.equal(error.code, 'DT_DEPENDENCY_MISSING');
      assert.ok(error.message.includes('a, d'));
      assert.deepEqual(error.hints, ['helm dependency update']);
      return true;
    },
  );
});

test('a dependency that a subchart lacks is an error, too', () => {
  const chart = chartOf('c', { subcharts: [chartOf('sub', { dependencies: [{ name: 'deep' }] })] });
  assert.throws(() => readChartImages(chart), { code: 'DT_DEPENDENCY_MISSING' });
});
