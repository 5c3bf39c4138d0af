import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import type { Chart } from '../../../src/domain/chart/chart.ts';
import { parseImageText } from '../../../src/domain/relocation/image-fields.ts';
import { parseRelocationPrefix } from '../../../src/domain/relocation/relocation-prefix.ts';
import { buildValuesOverlay } from '../../../src/domain/relocation/values-overlay.ts';
import { isYamlMap, parseYaml } from '../../../src/domain/yaml/parse-yaml.ts';
import { buildFamilyChart, CORPUS, PREFIX, relocateFamily } from '../../support/relocation-fixtures.ts';

const ROUNDS = 60;
const FIRST_SEED = Number(process.env['DT_TEST_SEED'] ?? '20261121');

describe('buildValuesOverlay on real values files', () => {
  const corpus = globSync(join(CORPUS, '*/truth.json')).map(dirname).sort().flatMap(readCorpusChart);

  it('gives the values of the relocated chart when Helm merges it', async () => {
    assert.ok(corpus.length > 200);
    let overlays = 0;
    for (const { name, values, more } of corpus)
      overlays += await checkMerge(buildFamilyChart(values, {}, { name, more }));
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
    const leafChart = buildFamilyChart(leaf.values, {}, { name: 'leaf', more: leaf.more });
    const overridden = override(random, middle.values, 'inner-leaf', leaf.values);
    const aliases = (name: string, ...all: readonly string[]): string =>
      `dependencies:\n${all.map((alias) => `  - {name: ${name}, version: 1.0.0, alias: ${alias}}\n`).join('')}`;
    const more = middle.more + aliases('leaf', 'inner-leaf');
    const middleChart = buildFamilyChart(overridden, { leaf: leafChart }, { name: 'middle', more });
    const topValues = override(random, top.values, 'one', overridden);
    return buildFamilyChart(topValues, { middle: middleChart }, { more: top.more + aliases('middle', 'one', 'two') });
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
  const after = await relocateFamily(before);
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
