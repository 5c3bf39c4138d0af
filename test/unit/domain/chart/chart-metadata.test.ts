import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseChartMetadata, withRequirements } from '../../../../src/domain/chart/chart-metadata.ts';

test('all fields are read', () => {
  const text = `apiVersion: v2
name: c
version: 1.2.3
appVersion: "9"
description: Text
annotations:
  a: b
  n: 1.10
  e:
dependencies:
  - {name: x, version: ^1, repository: https://x, alias: y, condition: x.enabled}
`;
  const { document, ...rest } = parseChartMetadata(Buffer.from(text), 'Chart.yaml');
  assert.deepEqual(rest, {
    apiVersion: 'v2',
    name: 'c',
    version: '1.2.3',
    appVersion: '9',
    annotations: { a: 'b', n: '1.1', e: '' },
    dependencies: [{ name: 'x', version: '^1', repository: 'https://x', alias: 'y' }],
  });
  assert.equal(document['description'], 'Text');
});

test('numbers are read as Helm reads them', () => {
  const { version, appVersion } = parseChartMetadata('name: c\nversion: 1.10\nappVersion: 1.10\n', 'x');
  assert.deepEqual({ version, appVersion }, { version: '1.1', appVersion: '1.1' });
});

test('a chart without apiVersion is v1, others pass', () => {
  assert.equal(parseChartMetadata('name: c\nversion: 1.0.0', 'x').apiVersion, 'v1');
  assert.equal(parseChartMetadata('apiVersion: v3\nname: c\nversion: 1.0.0', 'x').apiVersion, 'v3');
  assert.equal(parseChartMetadata('name: c\nversion: 1.0.0', 'x').appVersion, '');
});

test('a byte order mark is no part of the text', () => {
  assert.equal(parseChartMetadata(Buffer.from('\uFEFFname: c\nversion: 1.0.0'), 'x').name, 'c');
});

test('an annotation cannot reach the prototype', () => {
  const { annotations } = parseChartMetadata('name: c\nversion: 1.0.0\nannotations: {__proto__: x}', 'x');
  assert.equal(Object.hasOwn(annotations, '__proto__'), true);
  assert.equal(Object.getPrototypeOf(annotations), Object.prototype);
});

const valid = 'name: c\nversion: 1.0.0\n';
const BAD_CHARTS: Readonly<Record<string, string>> = {
  nothing: '',
  'comments only': '# a\n',
  'a list': '- a',
  'a text': 'hello',
  'no name': 'version: 1.0.0',
  'no version': 'name: c',
  'an empty name': 'name: ""\nversion: 1.0.0',
  'a name with a slash': 'name: a/b\nversion: 1.0.0',
  'a name with a backslash': 'name: a\\b\nversion: 1.0.0',
  'a name that is ..': 'name: ..\nversion: 1.0.0',
  'a name with a control character': 'name: "a\\u001b[31m"\nversion: 1.0.0',
  'a name that is a list': 'name: [a]\nversion: 1.0.0',
  'a version that is none': 'name: c\nversion: latest',
  'a version with a path': 'name: c\nversion: ../1.0.0',
  'annotations as a list': `${valid}annotations: [a]`,
  'an annotation that is a list': `${valid}annotations:\n  images: [{name: a, image: b}]`,
  'dependencies as a map': `${valid}dependencies: {a: b}`,
  'a dependency without name': `${valid}dependencies: [{version: 1.0.0}]`,
  'a dependency that is null': `${valid}dependencies: [null]`,
};
for (const [what, text] of Object.entries(BAD_CHARTS)) {
  test(`${what} is refused`, () => {
    assert.throws(() => parseChartMetadata(text, 'Chart.yaml'), { code: 'DT_CHART_INVALID' });
  });
}

test('broken YAML and bad UTF-8 are told from other errors', () => {
  assert.throws(() => parseChartMetadata('a: [', 'x'), { code: 'DT_YAML_INVALID' });
  assert.throws(() => parseChartMetadata(Buffer.from([0x61, 0xff]), 'x'), { code: 'DT_YAML_INVALID' });
});

const metadata = parseChartMetadata(`${valid}dependencies: [{name: old}]`, 'x');

test('requirements.yaml replaces the dependencies', () => {
  const merged = withRequirements(metadata, 'dependencies: [{name: new, version: 1.0.0}]', 'requirements.yaml');
  assert.deepEqual(
    merged.dependencies.map(({ name }) => name),
    ['new'],
  );
  assert.deepEqual(merged.document['dependencies'], [{ name: 'new', version: '1.0.0' }]);
});

for (const text of ['', '# nothing\n', 'dependencies:\n', 'other: 1\n']) {
  test(`requirements.yaml ${JSON.stringify(text)} changes nothing`, () => {
    assert.equal(withRequirements(metadata, text, 'x'), metadata);
  });
}
