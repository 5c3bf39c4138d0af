import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Chart } from '../../../../src/domain/chart/chart.ts';
import { parseRelocationPrefix } from '../../../../src/domain/relocation/relocation-prefix.ts';
import { buildValuesOverlay, type ValuesOverlay } from '../../../../src/domain/relocation/values-overlay.ts';
import { parseYaml } from '../../../../src/domain/yaml/parse-yaml.ts';
import {
  buildChart,
  buildFamilyChart,
  PREFIX,
  relocateFamily,
  relocateWith,
} from '../../../support/relocation-fixtures.ts';

async function overlayOf(chart: Chart): Promise<ValuesOverlay> {
  return buildValuesOverlay(chart, await relocateFamily(chart), parseRelocationPrefix(PREFIX));
}

/** The overlay without its first line. */
async function overlayText(chart: Chart): Promise<string> {
  const { text = '', unexpressed } = await overlayOf(chart);
  assert.deepEqual(unexpressed, []);
  return text.slice(text.indexOf('\n') + 1);
}

describe('buildValuesOverlay', () => {
  it('says for what it is', async () => {
    const { text = '' } = await overlayOf(buildFamilyChart('image: {repository: quay.io/a/b, tag: 1}\n'));
    assert.equal(text.split('\n')[0], '# Values for the chart c 1.0.0: its images lie in acme.com/federal.');
  });

  it('is nothing where nothing changed', async () => {
    const chart = buildFamilyChart('a: 1\nimage: {repository: acme.com/federal/a/b, tag: 1}\n');
    assert.deepEqual(await overlayOf(chart), { text: undefined, unexpressed: [] });
    assert.deepEqual(await overlayOf(buildFamilyChart('')), { text: undefined, unexpressed: [] });
  });

  it('holds what changed, in the order of the file', async () => {
    const values =
      'z:\n  image: {registry: docker.io, repository: a/b, tag: 1}\na:\n  image: {repository: quay.io/x/y, tag: 1}\nb: 2\n';
    assert.equal(
      await overlayText(buildFamilyChart(values)),
      'z:\n  image:\n    registry: acme.com\n    repository: federal/a/b\na:\n  image:\n    repository: acme.com/federal/x/y\n',
    );
  });

  it('gives a list as a whole, every scalar spelled as it was', async () => {
    const values =
      'list:\n- image: {repository: quay.io/x/y, tag: 1.10}\n- [1.10, "1.10", yes, "yes", 0777, ~, "", 1e3, !!str 5, !!int "7", "a\\nb"]\n- key: |\n    text\n';
    const wanted =
      'list:\n  - image:\n      repository: acme.com/federal/x/y\n      tag: 1.10\n' +
      '  - - 1.10\n    - "1.10"\n    - yes\n    - "yes"\n    - 0777\n    - ~\n    - ""\n    - 1e3\n    - "5"\n    - !!int "7"\n    - "a\\nb"\n' +
      '  - key: "text\\n"\n';
    assert.equal(await overlayText(buildFamilyChart(values)), wanted);
  });

  it('writes out aliases and merge keys', async () => {
    const values = 'base: &b {registry: docker.io, repository: a/b}\nother: *b\nmore:\n  <<: *b\n  tag: 1\n';
    const image = '\n  registry: acme.com\n  repository: federal/a/b\n';
    assert.equal(await overlayText(buildFamilyChart(values)), `base:${image}other:${image}more:${image}`);
  });

  const SUB_VALUES = 'image: {registry: quay.io, repository: a/b}\nside: {image: {repository: quay.io/s/t}}\n';

  it('puts the values of a subchart under its name, those of the parent win', async () => {
    const sub = buildFamilyChart(SUB_VALUES, {}, { name: 'sub' });
    const parent =
      'sub:\n  image: {registry: acme.com, repository: federal/mine/b}\n  side: {image: {repository: ghcr.io/p/q}}\n';
    assert.equal(
      await overlayText(buildFamilyChart(parent, { sub })),
      'sub:\n  side:\n    image:\n      repository: acme.com/federal/p/q\n',
    );
  });

  it('puts the values of one subchart under each of its aliases, at any depth', async () => {
    const leaf = buildFamilyChart('image: {repository: quay.io/le/af}\n', {}, { name: 'leaf' });
    const more = 'dependencies: [{name: leaf, version: ^1, alias: blatt}]\n';
    const sub = buildFamilyChart('', { leaf }, { name: 'sub', more });
    const dependencies =
      'dependencies: [{name: sub, version: 1.x, alias: one}, {name: sub, version: ~1.0.0, alias: two}]\n';
    const inner = '  blatt:\n    image:\n      repository: acme.com/federal/le/af\n';
    assert.equal(
      await overlayText(buildFamilyChart('', { sub }, { more: dependencies })),
      `one:\n${inner}two:\n${inner}`,
    );
  });

  it('takes of two versions of a subchart the one that the dependency asks for', async () => {
    const old = buildFamilyChart('image: {repository: quay.io/old/x}\n', {}, { name: 'sub' });
    const young = buildFamilyChart('image: {repository: quay.io/new/x}\n', {}, { name: 'sub', version: '2.1.0' });
    const more = 'dependencies: [{name: sub, version: ">=2", alias: young}, {name: sub, version: 1.0.0, alias: old}]\n';
    const text = await overlayText(buildFamilyChart('', { a: old, b: young }, { more }));
    assert.match(text, /^young:\n {2}image:\n {4}repository: acme\.com\/federal\/new\/x\nold:\n.*\n.*old\/x\n$/);
  });

  it('repeats at the parent what it imports', async () => {
    const values = 'exports:\n  data: {image: {repository: quay.io/e/x}}\ninner: {repository: quay.io/i/n, tag: 1}\n';
    const sub = buildFamilyChart(values, {}, { name: 'sub' });
    const more =
      'dependencies: [{name: sub, version: 1.0.0, alias: kid, import-values: [data, gone, {child: inner, parent: far.image}]}]\n';
    const parsed = parseYaml(await overlayText(buildFamilyChart('', { sub }, { more })), 'overlay');
    const [exported, inner] = [
      { image: { repository: 'acme.com/federal/e/x' } },
      { repository: 'acme.com/federal/i/n' },
    ];
    assert.deepEqual(parsed, { kid: { exports: { data: exported }, inner }, ...exported, far: { image: inner } });
  });

  it('leaves other values files out', async () => {
    const chart = buildChart(
      new Map([
        ['Chart.yaml', 'name: c\n'],
        ['values-x.yaml', 'image: {repository: quay.io/a/b, tag: 1}\n'],
      ]),
    );
    const { tree } = await relocateWith(chart, { valuesFiles: ['values-x.yaml'] });
    assert.notEqual(tree, chart.tree);
    assert.equal(buildValuesOverlay(chart, { ...chart, tree }, parseRelocationPrefix(PREFIX)).text, undefined);
  });

  it('names what depends on the version of Helm', async () => {
    const sub = buildFamilyChart(SUB_VALUES, {}, { name: 'sub' });
    const nulled = await overlayOf(buildFamilyChart('sub: {side: ~}\n', { sub }));
    assert.deepEqual(nulled.unexpressed, ['sub.side']);
    const idle = await overlayOf(
      buildFamilyChart('sub: {image: ~, side: ~}\nimage: {repository: quay.io/x/y}\n', { sub }),
    );
    assert.deepEqual(idle.unexpressed, []);
    const first = 'image: {registry: docker.io, repository: a/b}\n';
    assert.deepEqual((await overlayOf(buildFamilyChart(`${first}---\nimage: {repository: c/d}\n`))).unexpressed, [
      'image.repository',
    ]);
    assert.deepEqual((await overlayOf(buildFamilyChart(`${first}---\nb: 1\n`))).unexpressed, []);
  });

  it('names what no values file can give', () => {
    const [before, after] = ['a: {b: 1, c: 2}\nd: 1\n', 'a: {b: ~}\nd: 1\n'].map((values) => buildFamilyChart(values));
    assert.ok(before !== undefined && after !== undefined);
    assert.deepEqual(buildValuesOverlay(before, after, parseRelocationPrefix(PREFIX)).unexpressed, ['a.c', 'a.b']);
  });

  it('refuses aliases that stand for too much, and nodes that contain themselves', () => {
    const levels = Array.from(
      { length: 9 },
      (_, at) => `l${String(at + 1)}: &l${String(at + 1)} [${`*l${String(at)}, `.repeat(10)}]\n`,
    );
    for (const values of [`l0: &l0 x\n${levels.join('')}`, 'a: &a {b: *a}\n']) {
      const chart = buildFamilyChart(values);
      assert.throws(() => buildValuesOverlay(chart, chart, parseRelocationPrefix(PREFIX)), { code: 'DT_YAML_INVALID' });
    }
  });

  it('has one comment line whatever the chart is called', () => {
    const [before, after] = ['a: 1\n', 'a: 2\n'].map((values) => buildFamilyChart(values));
    assert.ok(before !== undefined && after !== undefined);
    const hostile = { ...before, metadata: { ...before.metadata, name: 'x\u2028evil: 1' } };
    const { text } = buildValuesOverlay(hostile, after, parseRelocationPrefix('acme.com'));
    assert.equal(text, '# Values for the chart x?evil: 1 1.0.0: its images lie in acme.com.\na: 2\n');
  });
});
