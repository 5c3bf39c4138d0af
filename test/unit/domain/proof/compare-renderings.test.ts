import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { findRenderedImages } from '../../../../src/domain/discovery/find-rendered-images.ts';
import { parseManifests, splitManifests } from '../../../../src/domain/discovery/parse-manifests.ts';
import { compareRenderings, type RenderingComparison } from '../../../../src/domain/proof/compare-renderings.ts';
import { createTextRelocation } from '../../../../src/domain/proof/expected-moves.ts';
import type { ComparedRendering } from '../../../../src/domain/proof/find-other-changes.ts';
import { findNoise } from '../../../../src/domain/proof/rendering-noise.ts';
import { parseRelocationPrefix } from '../../../../src/domain/relocation/relocation-prefix.ts';
import { NO_REPLACED_INDEXES } from '../../../../src/domain/relocation/replaced-indexes.ts';

const P = 'registry.internal:5000/mirror';
const EXPECTED = {
  relocateText: createTextRelocation(parseRelocationPrefix(P), NO_REPLACED_INDEXES),
  replaced: [{ from: 'quay.io', to: P }],
};

function read(output: string): ComparedRendering {
  const { manifests } = parseManifests(splitManifests(output));
  return { output, images: manifests.flatMap((manifest) => findRenderedImages(manifest).images) };
}

/** A document as Helm prints it. */
function document(template: string, text: string): string {
  return `---\n# Source: shop/templates/${template}.yaml\n${text}\n`;
}

function pod(name: string, image: string, more = ''): string {
  return document(
    'pods',
    `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\nspec:\n  containers:\n    - name: c\n      image: ${image}${more}`,
  );
}

function config(...lines: readonly string[]): string {
  return document(
    'config',
    ['apiVersion: v1', 'kind: ConfigMap', 'data:', ...lines.map((line) => `  ${line}`)].join('\n'),
  );
}

/** `moved`, `left` and `wrong` as texts, and how each other change begins. */
function compare(before: string, after: string, again?: string): Record<string, readonly string[]> {
  return summarize(
    compareRenderings(read(before), read(after), EXPECTED, again === undefined ? undefined : findNoise(before, again)),
  );
}

function summarize({ moved, left, wrong, others }: RenderingComparison): Record<string, readonly string[]> {
  return {
    moved: moved.map(({ image, to }) => `${image.text} ${to}`),
    left: left.map(({ text }) => text),
    wrong: wrong.map(({ image, to }) => `${image.text} ${to ?? 'nothing'}`),
    others: others.map((change) => `${change.template}: ${change.before.slice(0, 40)} | ${change.after.slice(0, 40)}`),
  };
}

const NOTHING = { moved: [], left: [], wrong: [], others: [] };
const CONFIG = 'shop/templates/config.yaml';
const PODS = 'shop/templates/pods.yaml';

describe('compareRenderings', () => {
  it('tells images that moved from those that were left and those that are wrong', () => {
    const before = pod('a', 'quay.io/a/a:1') + pod('b', 'quay.io/a/b:1') + pod('c', 'quay.io/a/c:1');
    const after = pod('a', `${P}/a/a:1`) + pod('b', 'quay.io/a/b:1') + pod('c', `${P}/c:1`);
    assert.deepEqual(compare(before, after), {
      moved: [`quay.io/a/a:1 ${P}/a/a:1`],
      left: ['quay.io/a/b:1'],
      wrong: [`quay.io/a/c:1 ${P}/c:1`],
      others: [`${PODS}: quay.io/a/c:1 | ${P}/c:1`],
    });
  });

  it('says nothing of images that lie under the prefix', () => {
    assert.deepEqual(compare(pod('a', `${P}/a/a:1`), pod('a', `${P}/a/a:1`)), NOTHING);
  });

  it('finds an image wrong that should have stayed', () => {
    const before = pod('a', `${P}/a/a@sha256:${'a1'.repeat(32)}`);
    const after = pod('a', `${P}/a/a@sha256:${'b2'.repeat(32)}`);
    assert.equal(compare(before, after)['wrong']?.length, 1);
  });

  it('finds an image wrong that is gone, or in another place', () => {
    const before = pod('a', 'quay.io/a/a:1');
    assert.deepEqual(compare(before, before.replace('image: quay.io/a/a:1', 'other: 1'))['wrong'], [
      'quay.io/a/a:1 nothing',
    ]);
    const moved = before.replace('containers', 'initContainers').replace('quay.io', P);
    assert.deepEqual(compare(before, moved)['wrong'], ['quay.io/a/a:1 nothing']);
    assert.equal(compare(before, moved)['others']?.length, 1);
  });

  it('names every place that differs otherwise', () => {
    const before = config('replicas: "3"', 'mode: a', 'image: quay.io/a/a:1');
    assert.deepEqual(compare(before, config('replicas: "4"', 'mode: b', `image: ${P}/a/a:1`)), {
      ...NOTHING,
      moved: [`quay.io/a/a:1 ${P}/a/a:1`],
      others: [`${CONFIG}: 3 | 4`, `${CONFIG}: a | b`],
    });
  });

  it('names documents that are gone, new or in another template', () => {
    const before = pod('a', `${P}/a:1`) + config('x: "1"');
    assert.deepEqual(compare(before, pod('a', `${P}/a:1`))['others'], [
      `${CONFIG}: # Source: shop/templates/config.yaml\napi | `,
    ]);
    assert.deepEqual(compare(pod('a', `${P}/a:1`), before)['others'], [
      `${CONFIG}:  | # Source: shop/templates/config.yaml\napi`,
    ]);
    assert.equal(compare(before, before.replace('templates/config', 'templates/other'))['others']?.length, 2);
  });

  it('names a line more, a line less, and items that changed their places', () => {
    const before = config('a: x', 'b: y');
    assert.deepEqual(compare(before, config('a: x', 'b: y', 'c: z'))['others']?.length, 1);
    assert.deepEqual(compare(before, config('a: x'))['others']?.length, 1);
    assert.equal(compare(before, before + '\n  c: z\n')['others']?.length, 1);
    assert.deepEqual(compare(before, config('b: y', 'a: x'))['others'], []);
    assert.deepEqual(compare(config('l: [x, y]'), config('l: [y, x]'))['others'], [
      `${CONFIG}: x | y`,
      `${CONFIG}: y | x`,
    ]);
  });

  it('takes a value that is quoted now, or on other lines, and was not before', () => {
    const before = config('image: quay.io/a/a:1', 'n: 1');
    assert.deepEqual(compare(before, config(`image: "${P}/a/a:1"`, 'n: 1'))['others'], []);
    assert.deepEqual(compare(before, config('image: >-', `  ${P}/a/a:1`, 'n: 1'))['others'], []);
    assert.equal(compare(before, config(`image: "${P}/a/a:1"`, 'n: "1"'))['others']?.length, 1);
    assert.equal(compare(before, config('image: >-', `  ${P}/a/a:1`, 'n: 2'))['others']?.length, 1);
    assert.equal(compare(before, config(`image: "${P}/a/a:1`, 'n: 1'))['others']?.length, 1);
  });

  it('does not take items and fields that were added or are gone', () => {
    for (const [before, after] of [
      ['l: [x]', 'l: [x, y]'],
      ['l: {a: x}', 'l: {a: x, b: y}'],
      ['l: [x]', 'l: {x: }'],
    ] as const) {
      assert.equal(compare(config(before), config(after))['others']?.length, 1);
      assert.equal(compare(config(after), config(before))['others']?.length, 1);
    }
  });

  it('takes a key that is an image', () => {
    const before = config('"quay.io/a/a:1": yes');
    assert.deepEqual(compare(before, config(`"${P}/a/a:1": yes`))['others'], []);
    assert.deepEqual(compare(before, config(`'${P}/a/a:1': yes`))['others'], []);
    assert.equal(compare(before, config(`'${P}/a/b:1': yes`))['others']?.length, 1);
  });

  it('follows objects whose names are random, and lets only what is random differ', () => {
    const [before, again] = ['x1', 'y2'].map((random) => pod(random, 'quay.io/a/a:1', `\n      env: [${random}]`));
    const after = pod('z3', `${P}/a/a:1`, '\n      env: [z3]');
    const moved = [`quay.io/a/a:1 ${P}/a/a:1`];
    assert.deepEqual(compare(before ?? '', after, again), { ...NOTHING, moved });
    assert.equal(compare(before ?? '', after)['others']?.length, 2);
    const changed = after.replace('kind: Pod', 'kind: Pod  ').replace('name: c', 'name: d');
    assert.equal(compare(before ?? '', changed, again)['others']?.length, 1);
  });

  it('keeps two objects of one template apart', () => {
    const before = pod('a', 'quay.io/a/a:1') + pod('b', 'quay.io/a/b:1');
    const swapped = pod('a', `${P}/a/b:1`) + pod('b', `${P}/a/a:1`);
    assert.equal(compare(before, swapped)['wrong']?.length, 2);
  });

  it('shows the beginning of long lines', () => {
    const { others } = compareRenderings(
      read(config(`a: ${'x'.repeat(5_000)}`)),
      read(config(`a: ${'y'.repeat(5_000)}`)),
      EXPECTED,
    );
    assert.ok((others[0]?.before.length ?? 0) < 250 && others[0]?.before.endsWith('…'));
  });

  it('names what one of them has more', () => {
    const before = config('a: x', 'b: y');
    assert.deepEqual(compare(before, config('a: x', 'new: z', 'b: y'))['others'], [`${CONFIG}:  | z`]);
  });
});

describe('findNoise', () => {
  it('finds the places that differ, and nothing in what is the same', () => {
    const before = config('a: x', 'password: one') + pod('a', 'quay.io/a/a:1');
    assert.equal(findNoise(before, before).size, 0);
    const noise = findNoise(before, before.replace('one', 'two'));
    assert.deepEqual(
      [...noise.values()].map((paths) => [...paths]),
      [['data.password']],
    );
  });

  it('takes what only one of them has for noise, and nothing else', () => {
    const noise = findNoise(config('a: x'), config('a: x', 'b: y'));
    assert.deepEqual(
      [...noise.values()].map((paths) => [...paths]),
      [['data.b']],
    );
  });
});

describe('compareRenderings, where a name follows an image', () => {
  const deployment = (label: string, image: string, container = 'c'): string =>
    document(
      'pods',
      `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: a\n  labels: {app: ${label}}\nspec:\n  template:\n    spec:\n      containers:\n        - name: ${container}\n          image: ${image}`,
    );
  const before = deployment('redis', 'redis:7', 'redis');

  it('does not take labels and names that were called like it', () => {
    const moved = `${P}/library/redis`;
    assert.deepEqual(compare(before, deployment('redis', `${moved}:7`, 'redis'))['others'], []);
    assert.equal(compare(before, deployment(moved, `${moved}:7`, 'redis'))['others']?.length, 1);
    assert.equal(compare(before, deployment('redis', `${moved}:7`, moved))['others']?.length, 1);
  });

  it('takes a checksum at the end of a name', () => {
    const named = (name: string): string => deployment('x', 'redis:7').replace('name: a', `name: ${name}`);
    const after = named('job-ef537f25c8').replace('redis:7', `${P}/library/redis:7`);
    assert.deepEqual(compare(named('job-d7a8fbb307'), after)['others'], []);
    assert.equal(compare(named('job-d7a8fbb307'), after.replace('job-', 'jab-'))['others']?.length, 1);
  });

  it('takes an image for left that stands a second time in a text', () => {
    const text = (one: string, two: string): string => config('t: |', `  a: ${one}`, `  b: ${two}`);
    const result = compare(text('quay.io/a/a:1', 'quay.io/a/a:1'), text('quay.io/a/a:1', `${P}/a/a:1`));
    assert.deepEqual(result['left'], ['quay.io/a/a:1']);
  });
});
