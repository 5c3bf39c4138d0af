import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { parseChartMetadata } from '../../../../src/domain/chart/chart-metadata.ts';
import type { Chart } from '../../../../src/domain/chart/chart.ts';
import { parseImageText } from '../../../../src/domain/relocation/image-fields.ts';
import { parseRelocationPrefix } from '../../../../src/domain/relocation/relocation-prefix.ts';
import { buildValuesOverlay, type ValuesOverlay } from '../../../../src/domain/relocation/values-overlay.ts';
import { isYamlMap, parseYaml } from '../../../../src/domain/yaml/parse-yaml.ts';
import { buildChart, CORPUS, PREFIX, relocateWith } from './relocation-fixtures.ts';

const ROUNDS = 60;
const FIRST_SEED = Number(process.env['DT_TEST_SEED'] ?? '20261121');

/** A chart with dependencies, from its files; `subcharts` lie under `charts/`. */
function chartOf(
  values: string,
  subcharts: Readonly<Record<string, Chart>> = {},
  options: { readonly name?: string; readonly version?: string; readonly more?: string } = {},
): Chart {
  const { name = 'c', version = '1.0.0', more = '' } = options;
  const metadata = `apiVersion: v2\nname: ${name}\nversion: ${version}\n${more}`;
  const files = new Map([
    ['Chart.yaml', metadata],
    ['values.yaml', values],
  ]);
  const packed = Object.fromEntries(
    Object.entries(subcharts).map(([file, chart]) => [`charts/${file}.tgz`, chart] as const),
  );
  return { ...buildChart(files, packed), metadata: parseChartMetadata(metadata, name) };
}

/** Relocates the chart; the trees of its subcharts are caught on their way into an archive. */
async function relocate(chart: Chart): Promise<Chart> {
  const trees = new Map<Chart, Chart['tree']>();
  const { tree } = await relocateWith(chart, {
    repackSubchart: (subchart, changed) => {
      trees.set(subchart, changed);
      return Promise.resolve(Buffer.from(`packed again ${String(trees.size)}`));
    },
  });
  const rebuild = (member: Chart): Chart => ({
    ...member,
    tree: trees.get(member) ?? member.tree,
    subcharts: member.subcharts.map((subchart) => ({ ...subchart, chart: rebuild(subchart.chart) })),
  });
  return { ...rebuild(chart), tree };
}

async function overlayOf(chart: Chart): Promise<ValuesOverlay> {
  return buildValuesOverlay(chart, await relocate(chart), parseRelocationPrefix(PREFIX));
}

/** The overlay without its first line. */
async function overlayText(chart: Chart): Promise<string> {
  const { text = '', unexpressed } = await overlayOf(chart);
  assert.deepEqual(unexpressed, []);
  return text.slice(text.indexOf('\n') + 1);
}

describe('buildValuesOverlay', () => {
  it('says for what it is', async () => {
    const { text = '' } = await overlayOf(chartOf('image: {repository: quay.io/a/b, tag: 1}\n'));
    assert.equal(text.split('\n')[0], '# Values for the chart c 1.0.0: its images lie in acme.com/federal.');
  });

  it('is nothing where nothing changed', async () => {
    const chart = chartOf('a: 1\nimage: {repository: acme.com/federal/a/b, tag: 1}\n');
    assert.deepEqual(await overlayOf(chart), { text: undefined, unexpressed: [] });
    assert.deepEqual(await overlayOf(chartOf('')), { text: undefined, unexpressed: [] });
  });

  it('holds what changed, in the order of the file', async () => {
    const values =
      'z:\n  image: {registry: docker.io, repository: a/b, tag: 1}\na:\n  image: {repository: quay.io/x/y, tag: 1}\nb: 2\n';
    assert.equal(
      await overlayText(chartOf(values)),
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
    assert.equal(await overlayText(chartOf(values)), wanted);
  });

  it('writes out aliases and merge keys', async () => {
    const values = 'base: &b {registry: docker.io, repository: a/b}\nother: *b\nmore:\n  <<: *b\n  tag: 1\n';
    const image = '\n  registry: acme.com\n  repository: federal/a/b\n';
    assert.equal(await overlayText(chartOf(values)), `base:${image}other:${image}more:${image}`);
  });

  const SUB_VALUES = 'image: {registry: quay.io, repository: a/b}\nside: {image: {repository: quay.io/s/t}}\n';

  it('puts the values of a subchart under its name, those of the parent win', async () => {
    const sub = chartOf(SUB_VALUES, {}, { name: 'sub' });
    const parent =
      'sub:\n  image: {registry: acme.com, repository: federal/mine/b}\n  side: {image: {repository: ghcr.io/p/q}}\n';
    assert.equal(
      await overlayText(chartOf(parent, { sub })),
      'sub:\n  side:\n    image:\n      repository: acme.com/federal/p/q\n',
    );
  });

  it('puts the values of one subchart under each of its aliases, at any depth', async () => {
    const leaf = chartOf('image: {repository: quay.io/le/af}\n', {}, { name: 'leaf' });
    const more = 'dependencies: [{name: leaf, version: ^1, alias: blatt}]\n';
    const sub = chartOf('', { leaf }, { name: 'sub', more });
    const dependencies =
      'dependencies: [{name: sub, version: 1.x, alias: one}, {name: sub, version: ~1.0.0, alias: two}]\n';
    const inner = '  blatt:\n    image:\n      repository: acme.com/federal/le/af\n';
    assert.equal(await overlayText(chartOf('', { sub }, { more: dependencies })), `one:\n${inner}two:\n${inner}`);
  });

  it('takes of two versions of a subchart the one that the dependency asks for', async () => {
    const old = chartOf('image: {repository: quay.io/old/x}\n', {}, { name: 'sub' });
    const young = chartOf('image: {repository: quay.io/new/x}\n', {}, { name: 'sub', version: '2.1.0' });
    const more = 'dependencies: [{name: sub, version: ">=2", alias: young}, {name: sub, version: 1.0.0, alias: old}]\n';
    const text = await overlayText(chartOf('', { a: old, b: young }, { more }));
    assert.match(text, /^young:\n {2}image:\n {4}repository: acme\.com\/federal\/new\/x\nold:\n.*\n.*old\/x\n$/);
  });

  it('repeats at the parent what it imports', async () => {
    const values = 'exports:\n  data: {image: {repository: quay.io/e/x}}\ninner: {repository: quay.io/i/n, tag: 1}\n';
    const sub = chartOf(values, {}, { name: 'sub' });
    const more =
      'dependencies: [{name: sub, version: 1.0.0, alias: kid, import-values: [data, gone, {child: inner, parent: far.image}]}]\n';
    const parsed = parseYaml(await overlayText(chartOf('', { sub }, { more })), 'overlay');
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
    const sub = chartOf(SUB_VALUES, {}, { name: 'sub' });
    const nulled = await overlayOf(chartOf('sub: {side: ~}\n', { sub }));
    assert.deepEqual(nulled.unexpressed, ['sub.side']);
    const idle = await overlayOf(chartOf('sub: {image: ~, side: ~}\nimage: {repository: quay.io/x/y}\n', { sub }));
    assert.deepEqual(idle.unexpressed, []);
    const first = 'image: {registry: docker.io, repository: a/b}\n';
    assert.deepEqual((await overlayOf(chartOf(`${first}---\nimage: {repository: c/d}\n`))).unexpressed, [
      'image.repository',
    ]);
    assert.deepEqual((await overlayOf(chartOf(`${first}---\nb: 1\n`))).unexpressed, []);
  });

  it('names what no values file can give', () => {
    const [before, after] = ['a: {b: 1, c: 2}\nd: 1\n', 'a: {b: ~}\nd: 1\n'].map((values) => chartOf(values));
    assert.ok(before !== undefined && after !== undefined);
    assert.deepEqual(buildValuesOverlay(before, after, parseRelocationPrefix(PREFIX)).unexpressed, ['a.c', 'a.b']);
  });

  it('refuses aliases that stand for too much, and nodes that contain themselves', () => {
    const levels = Array.from(
      { length: 9 },
      (_, at) => `l${String(at + 1)}: &l${String(at + 1)} [${`*l${String(at)}, `.repeat(10)}]\n`,
    );
    for (const values of [`l0: &l0 x\n${levels.join('')}`, 'a: &a {b: *a}\n']) {
      const chart = chartOf(values);
      assert.throws(() => buildValuesOverlay(chart, chart, parseRelocationPrefix(PREFIX)), { code: 'DT_YAML_INVALID' });
    }
  });

  it('has one comment line whatever the chart is called', () => {
    const [before, after] = ['a: 1\n', 'a: 2\n'].map((values) => chartOf(values));
    assert.ok(before !== undefined && after !== undefined);
    const hostile = { ...before, metadata: { ...before.metadata, name: 'x\u2028evil: 1' } };
    const { text } = buildValuesOverlay(hostile, after, parseRelocationPrefix('acme.com'));
    assert.equal(text, '# Values for the chart x?evil: 1 1.0.0: its images lie in acme.com.\na: 2\n');
  });
});

describe('buildValuesOverlay on real values files', () => {
  const corpus = globSync(join(CORPUS, '*/truth.json')).map(dirname).sort().flatMap(readCorpusChart);

  it('gives the values of the relocated chart when Helm merges it', async () => {
    assert.ok(corpus.length > 200);
    let overlays = 0;
    for (const { name, values, more } of corpus) overlays += await checkMerge(chartOf(values, {}, { name, more }));
    assert.ok(overlays > 150, String(overlays));
  });

  it('also for random families of charts whose parents override their children', async () => {
    for (let seed = FIRST_SEED; seed < FIRST_SEED + ROUNDS; seed++) {
      try {
        await checkMerge(randomFamily(createRandom(seed)));
      } catch (error) {
        throw new Error(`seed ${String(seed)}`, { cause: error });
      }
    }
  });

  function randomFamily(random: (limit: number) => number): Chart {
    const pick = (): (typeof corpus)[number] => {
      const chart = corpus[random(corpus.length)];
      assert.ok(chart !== undefined);
      return chart;
    };
    const [top, middle, leaf] = [pick(), pick(), pick()];
    const leafChart = chartOf(leaf.values, {}, { name: 'leaf', more: leaf.more });
    const overridden = override(random, middle.values, 'inner-leaf', leaf.values);
    const aliases = (name: string, ...all: readonly string[]): string =>
      `dependencies:\n${all.map((alias) => `  - {name: ${name}, version: 1.0.0, alias: ${alias}}\n`).join('')}`;
    const more = middle.more + aliases('leaf', 'inner-leaf');
    const middleChart = chartOf(overridden, { leaf: leafChart }, { name: 'middle', more });
    const topValues = override(random, top.values, 'one', overridden);
    return chartOf(topValues, { middle: middleChart }, { more: top.more + aliases('middle', 'one', 'two') });
  }
});

interface CorpusChart {
  readonly name: string;
  readonly values: string;
  /** An annotation with the images that the chart is known to deploy. */
  readonly more: string;
}

function readCorpusChart(folder: string, index: number): readonly CorpusChart[] {
  const { images } = JSON.parse(readFileSync(join(folder, 'truth.json'), 'utf8')) as {
    images: readonly { normalised: string }[];
  };
  const declared = images.filter(({ normalised }) => parseImageText(normalised) !== undefined);
  const list = declared.map(({ normalised }) => `    - image: ${normalised}\n`).join('');
  const more = list === '' ? '' : `annotations:\n  images: |\n${list}`;
  const [file] = globSync('values.yaml', { cwd: folder });
  if (file === undefined) return [];
  const values = readFileSync(join(folder, file), 'utf8');
  // The parser of plain values, by which the test reads them, refuses what the editor and Helm take.
  return isParsed(values) ? [{ name: `chart-${String(index)}`, values, more }] : [];
}

function isParsed(values: string): boolean {
  try {
    return isYamlMap(parseYaml(values, 'values'));
  } catch {
    return false;
  }
}

/** The values with some of those of a subchart under its alias, other images in them. */
function override(random: (limit: number) => number, values: string, alias: string, child: string): string {
  const entries = Object.entries(parseYaml(child, 'child') as Record<string, unknown>).filter(() => random(3) === 0);
  const text = JSON.stringify(Object.fromEntries(entries)).replaceAll(
    '"repository":"',
    '"repository":"other.example/over/',
  );
  return `${values}\n"${alias}": ${text}\n`;
}

/** Returns 1 if there is an overlay. */
async function checkMerge(before: Chart): Promise<number> {
  const after = await relocate(before);
  const { text } = buildValuesOverlay(before, after, parseRelocationPrefix(PREFIX));
  const overlay = text === undefined ? {} : parseYaml(text, 'overlay');
  const wanted = helmValues(after);
  assert.equal(text === undefined, JSON.stringify(helmValues(before)) === JSON.stringify(wanted));
  assert.deepEqual(coalesce(overlay, helmValues(before)), wanted);
  return text === undefined ? 0 : 1;
}

/** What Helm merges of a chart, written once more for plain values, without versions and imports. */
function helmValues(chart: Chart): unknown {
  const file = chart.tree.find(({ path }) => path === 'values.yaml');
  const own = parseYaml(Buffer.from(file?.bytes ?? []).toString(), 'values') ?? {};
  const subcharts = chart.subcharts.flatMap(({ chart: subchart }) => {
    const aliases = chart.metadata.dependencies.filter(({ name }) => name === subchart.metadata.name);
    return aliases.map(({ alias }) => [alias, helmValues(subchart)] as const);
  });
  return coalesce(own, Object.fromEntries(subcharts));
}

function coalesce(values: unknown, defaults: unknown): unknown {
  if (!isYamlMap(values) || !isYamlMap(defaults)) return values;
  const merged = Object.entries(values).map(([key, value]) => [
    key,
    key in defaults ? coalesce(value, defaults[key]) : value,
  ]);
  return { ...defaults, ...(Object.fromEntries(merged) as object) };
}

/** A small linear congruential generator: the same seed makes the same family. */
function createRandom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
