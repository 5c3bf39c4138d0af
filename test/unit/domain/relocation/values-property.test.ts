import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readYamlTree } from '../../../../src/domain/yaml/read-yaml-tree.ts';
import { parseYaml } from '../../../../src/domain/yaml/parse-yaml.ts';
import { PREFIX, relocateText } from '../../../support/relocation-fixtures.ts';

const ROUNDS = 400;
const IMAGE_FIELDS: ReadonlySet<string> = new Set(['registry', 'repository', 'image']);
const DECLARED = ['quay.io/known/one:1.0', 'nginx:1.25', `ghcr.io/known/two@sha256:${'c'.repeat(64)}`];

/** A small linear congruential generator: the same seed makes the same file. */
function createRandom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

type Random = ReturnType<typeof createRandom>;

function pick(random: Random, choices: readonly string[]): string {
  return choices[random(choices.length)] ?? '';
}

function quote(random: Random, text: string): string {
  return pick(random, [text, `'${text}'`, `"${text}"`, `"${text.replace('/', '\\x2f')}"`, `!!str ${text}`]);
}

function comment(random: Random): string {
  return pick(random, ['', '', ' # note', '   # repository: quay.io/x/y', ' # "it\'s"']);
}

/** A block of lines at the indentation given, about one key. */
function generateKey(random: Random, indent: string, index: number, depth: number): string[] {
  const key = pick(random, [
    `key${String(index)}`,
    `"dotted.${String(index)}"`,
    `on${String(index)}`,
    `initImage${String(index)}`,
  ]);
  const inner = indent + pick(random, ['  ', '    ']);
  switch (random(depth > 3 ? 7 : 9)) {
    case 0:
      return [`${indent}${key}:${comment(random)}`, ...generateImage(random, inner)];
    case 1: {
      const registry = quote(random, 'docker.io').replace('!!str ', '');
      return [
        `${indent}${key}: {registry: ${registry}, repository: ${pick(random, ['a/b', '"a/b"'])}, tag: 1.10}${comment(random)}`,
      ];
    }
    case 2:
      return [`${indent}${key}: ${quote(random, pick(random, [...DECLARED, 'quay.io/other/x:2']))}${comment(random)}`];
    case 3:
      return [
        `${indent}${key}: &anchor${String(index)}`,
        ...generateImage(random, inner),
        `${indent}alias${String(index)}: *anchor${String(index)}`,
      ];
    case 4:
      return [`${indent}${key}: ${pick(random, ['yes', '~', '1e3', '"a\\tb"', '|', '>-'])}`].flatMap((line) =>
        /[|-]$/.test(line) ? [line, `${inner}repository: quay.io/x/y`, '', `${inner} text`] : [line],
      );
    case 5:
      return ['', `${indent}# image: quay.io/x/y:1`, `${indent}${key}: [1, "two", {three: 3}]${comment(random)}`];
    case 6:
      return [`${indent}${key}:`, `${inner}repository: backup`, `${inner}password: x`];
    case 7:
      return [`${indent}${key}:`, ...generateMap(random, inner, depth + 1)];
    default:
      return [
        `${indent}${key}:`,
        ...[0, 1]
          .map(() => generateImage(random, `${indent}  `))
          .map(([first = '', ...rest]) => [`${indent}- ${first.trim()}`, ...rest])
          .flat(),
      ];
  }
}

function generateImage(random: Random, indent: string): string[] {
  const lines = [
    `${indent}repository: ${quote(random, pick(random, ['a/b', 'deep/er/path/name', 'one']))}${comment(random)}`,
  ];
  if (random(2) === 0) {
    const registry = pick(random, ['docker.io', '"quay.io"', "'registry.k8s.io'", '""', '~', '', 'localhost:5000']);
    lines.push(`${indent}registry:${registry === '' ? '' : ` ${registry}`}${comment(random)}`);
  }
  lines.push(`${indent}tag: ${pick(random, ['1.10', '"1.10"', '7', 'true', '~', 'v1'])}${comment(random)}`);
  return random(2) === 0 ? lines : lines.reverse();
}

function generateMap(random: Random, indent: string, depth: number): string[] {
  const count = 1 + random(4);
  return Array.from({ length: count }, (_, index) => generateKey(random, indent, depth * 10 + index, depth)).flat();
}

function generateValues(seed: number): string {
  const random = createRandom(seed);
  const mark = random(8) === 0 ? '\ufeff' : '';
  const text = mark + ['# head', ...generateMap(random, '', 0), ''].join(random(3) === 0 ? '\r\n' : '\n');
  return random(8) === 0 ? `${text}---\nimage:\n  repository: quay.io/doc/two\n` : text;
}

/** Every leaf that differs, by the last key of its path. Throws if the shape differs. */
function differingKeys(before: unknown, after: unknown, key: string): readonly string[] {
  if (before === after) return [];
  const areContainers = [before, after].every((value) => typeof value === 'object' && value !== null);
  if (!areContainers) return [key];
  assert.deepEqual(Object.keys(after as object), Object.keys(before as object));
  return Object.entries(before as object).flatMap(([name, value]: [string, unknown]) =>
    differingKeys(value, (after as Record<string, unknown>)[name], /^[0-9]+$/.test(name) ? key : name),
  );
}

function documentsOf(text: string): readonly unknown[] {
  return text.split(/^---\r?\n/m).map((part) => parseYaml(part.replace(/^\ufeff/, ''), 'generated'));
}

/** The text with every change undone by line number; equal to the original if nothing else was touched. */
function undone(before: string, after: string, lines: ReadonlySet<number>): string {
  const old = before.split('\n');
  return after
    .split('\n')
    .map((line, index) => (lines.has(index + 1) ? (old[index] ?? '') : line))
    .join('\n');
}

function checkRound(text: string): number {
  const result = relocateText(text, PREFIX, DECLARED);
  assert.deepEqual(result.refused, []);
  const keys = documentsOf(text).flatMap((document, index) =>
    differingKeys(document, documentsOf(result.text)[index], ''),
  );
  for (const key of keys) assert.ok(IMAGE_FIELDS.has(key) || /^(?:key|dotted\.|on|initImage)\d+$/.test(key), key);
  assert.equal(undone(text, result.text, new Set(result.changes.map(({ line }) => line))), text);
  checkChangedLines(text, result);
  assert.deepEqual(relocateText(result.text, PREFIX, DECLARED).changes, []);
  assert.equal(relocateText(result.text, PREFIX, DECLARED).text, result.text);
  return result.changes.length;
}

/** In a changed line everything but the scalars is as it was: what is left of it without all values must be equal. */
function checkChangedLines(text: string, result: ReturnType<typeof relocateText>): void {
  const [before, after] = [text.split('\n'), result.text.split('\n')];
  for (const { line, to } of result.changes) {
    const [old = '', now = ''] = [before[line - 1], after[line - 1]];
    assert.ok(now.includes(to), now);
    const frame = (content: string): string => /(?:\s*#.*)?\r?$/.exec(content)?.[0] ?? '';
    assert.equal(frame(now).trimStart(), frame(old).trimStart());
    assert.equal(/^[\s-]*[^:]*:/.exec(now)?.[0], /^[\s-]*[^:]*:/.exec(old)?.[0]);
  }
}

describe('relocateValues on generated files', () => {
  it('changes image scalars only, twice is once', () => {
    const firstSeed = Number(process.env['DT_TEST_SEED'] ?? '20261121');
    let changes = 0;
    for (let seed = firstSeed; seed < firstSeed + ROUNDS; seed++) {
      const text = generateValues(seed);
      try {
        readYamlTree(text, 'generated');
        changes += checkRound(text);
      } catch (error) {
        throw new Error(`seed ${String(seed)}:\n${text}`, { cause: error });
      }
    }
    assert.ok(changes > ROUNDS, 'the generator makes files with images');
  });
});
