import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatYamlScalar } from '../../../../src/domain/lock/yaml-scalar.ts';
import { parseYaml } from '../../../../src/domain/yaml/parse-yaml.ts';

// Recorded from Go's gopkg.in/yaml.v3 v3.0.1.
const CASES: readonly (readonly [string, string])[] = [
  // texts
  ['nginx', 'nginx'],
  ['127.0.0.1:5101/a/b:1', '127.0.0.1:5101/a/b:1'],
  ['1.30.1', '1.30.1'],
  ['a b', 'a b'],
  ['v1', 'v1'],
  ['é', 'é'],
  ['a#b', 'a#b'],
  ['-a', '-a'],
  ['=', '='],
  ['<<', '<<'],
  ['inf', 'inf'],
  ['NaN', 'NaN'],
  ['1e999', '1e999'],
  ['0xFFFFFFFFFFFFFFFFF', '0xFFFFFFFFFFFFFFFFF'],
  ['0b12', '0b12'],
  ['2023-02-29', '2023-02-29'],
  ['2024-1-1T25:00:00Z', '2024-1-1T25:00:00Z'],
  // read as null, boolean, number, time
  ['', '""'],
  ['~', '"~"'],
  ['null', '"null"'],
  ['Null', '"Null"'],
  ['true', '"true"'],
  ['FALSE', '"FALSE"'],
  ['y', '"y"'],
  ['Yes', '"Yes"'],
  ['OFF', '"OFF"'],
  ['2.0', '"2.0"'],
  ['9', '"9"'],
  ['007', '"007"'],
  ['08', '"08"'],
  ['1_000', '"1_000"'],
  ['1e3', '"1e3"'],
  ['.5', '".5"'],
  ['+1', '"+1"'],
  ['0x1F', '"0x1F"'],
  ['0o17', '"0o17"'],
  ['0b-01', '"0b-01"'],
  ['-0b101', '"-0b101"'],
  ['.inf', '".inf"'],
  ['-.INF', '"-.INF"'],
  ['.NaN', '".NaN"'],
  ['1:30', '"1:30"'],
  ['2024-02-29', '"2024-02-29"'],
  ['2024-1-1', '"2024-1-1"'],
  ['2026-11-21T02:43:21.069719343Z', '"2026-11-21T02:43:21.069719343Z"'],
  ['2024-01-01 10:00:00', '"2024-01-01 10:00:00"'],
  // indicators
  [' a', "' a'"],
  ['a ', "'a '"],
  ['a: b', "'a: b'"],
  ['a:', "'a:'"],
  ['a #b', "'a #b'"],
  ['- a', "'- a'"],
  ['-', "'-'"],
  ['? a', "'? a'"],
  ['#a', "'#a'"],
  ['@a', "'@a'"],
  ["'a", "'''a'"],
  ['"a"', `'"a"'`],
  ['*a', "'*a'"],
  ['{a}', "'{a}'"],
  ['---a', "'---a'"],
  // characters
  ['a\tb', '"a\\tb"'],
  ['a\rb', '"a\\rb"'],
  ['\u0007', '"\\a"'],
  ['\u0085', '"\\N"'],
  ['\u009b', '"\\x9B"'],
  ['😀', '"\\U0001F600"'],
  ['a"\t\\', '"a\\"\\t\\\\"'],
];

for (const [text, expected] of CASES) {
  test(`${JSON.stringify(text)} is written as ${expected}`, () => {
    assert.equal(formatYamlScalar(text), expected);
  });
}

test('a text with a line break stays on one line', () => {
  assert.equal(formatYamlScalar('a\nb'), '"a\\nb"');
});

test('what is written reads back as the same text', () => {
  const seed = Number(process.env['DT_TEST_SEED'] ?? Date.now() % 1_000_000);
  let state = seed;
  const next = (limit: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const atoms = [
    'a',
    '1',
    '0',
    '.',
    ':',
    ' ',
    '#',
    '-',
    '"',
    "'",
    '\\',
    '\t',
    '\n',
    '{',
    ',',
    '~',
    'e',
    'x',
    '😀',
    '\u2028',
    'null',
    '%',
    '&',
  ];
  for (let round = 0; round < 5000; round += 1) {
    const text = Array.from({ length: 1 + next(6) }, () => atoms[next(atoms.length)]).join('');
    assert.deepEqual(
      parseYaml(`k: ${formatYamlScalar(text)}\n`, 'x'),
      { k: text },
      `seed ${String(seed)}: ${JSON.stringify(text)}`,
    );
  }
});
