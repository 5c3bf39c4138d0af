import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CommandSpec, FlagSpec } from '../../../src/commands/command-spec.ts';
import { type Invocation, normalizeArgv } from '../../../src/commands/normalize-argv.ts';
import { isDtError } from '../../../src/domain/errors.ts';

const GLOBAL_FLAGS: readonly FlagSpec[] = [
  { name: 'insecure', isBoolean: true, perHostFlag: 'insecure-host' },
  { name: 'insecure-host', isBoolean: false },
  { name: 'use-plain-http', isBoolean: true, perHostFlag: 'plain-http-host' },
  { name: 'log-level', isBoolean: false },
  { name: 'plain', isBoolean: true },
  { name: 'with-plugin', isBoolean: true, fileFlag: 'plugin-file' },
  { name: 'plugin-file', isBoolean: false },
];
const WRAP_FLAGS: readonly FlagSpec[] = [
  { name: 'version', isBoolean: false },
  { name: 'yes', char: 'y', isBoolean: true },
  { name: 'values', char: 'f', isBoolean: false },
  { name: 'referrers', isBoolean: true, hasNegation: true },
];
const COMMANDS: readonly CommandSpec[] = [
  { id: 'wrap', flags: [...GLOBAL_FLAGS, ...WRAP_FLAGS] },
  { id: 'images lock', flags: GLOBAL_FLAGS },
  { id: 'images verify', flags: GLOBAL_FLAGS },
  { id: 'version', flags: GLOBAL_FLAGS },
];

/** The command line, the command that runs, and what oclif gets. */
const RUNS: readonly (readonly [string, string, string])[] = [
  ['wrap ./chart', 'wrap', './chart'],
  ['wrap ./chart --plain', 'wrap', './chart --plain'],
  ['--plain wrap ./chart', 'wrap', '--plain ./chart'],
  ['--log-level debug wrap ./chart', 'wrap', '--log-level debug ./chart'],
  ['--log-level=debug images lock ./chart', 'images lock', '--log-level=debug ./chart'],
  ['images --plain lock ./chart', 'images lock', '--plain ./chart'],
  ['--log-level wrap wrap', 'wrap', '--log-level wrap'],
  ['wrap --plain=true c', 'wrap', '--plain c'],
  ['wrap --with-plugin c', 'wrap', '--with-plugin c'],
  ['wrap --with-plugin=a/b=c.tgz c', 'wrap', '--plugin-file a/b=c.tgz c'],
  ['wrap --with-plugin=false c', 'wrap', 'c'],
  ['wrap --plain=false c', 'wrap', 'c'],
  ['wrap --plain --plain=false c', 'wrap', 'c'],
  ['wrap --plain=false --plain c', 'wrap', '--plain c'],
  ['wrap -y=true c', 'wrap', '--yes c'],
  ['wrap -y --yes=false c', 'wrap', 'c'],
  ['wrap --referrers=false c', 'wrap', '--no-referrers c'],
  ['wrap --insecure=registry.example.com c', 'wrap', '--insecure-host registry.example.com c'],
  ['wrap --insecure=localhost:5000 c', 'wrap', '--insecure-host localhost:5000 c'],
  ['wrap --insecure=[::1]:5000 c', 'wrap', '--insecure-host [::1]:5000 c'],
  ['wrap --insecure=localhost c', 'wrap', '--insecure-host localhost c'],
  ['--use-plain-http=reg:80 wrap c', 'wrap', '--plain-http-host reg:80 c'],
  ['wrap --insecure=false c', 'wrap', 'c'],
  ['wrap --version=1.2 c', 'wrap', '--version=1.2 c'],
  ['wrap --values --plain=false c', 'wrap', '--values --plain=false c'],
  ['wrap -f --plain=false c', 'wrap', '-f --plain=false c'],
  ['wrap -fa.yaml --plain=false c', 'wrap', '-fa.yaml c'],
  ['wrap --unknown=x c', 'wrap', '--unknown=x c'],
  ['wrap -- --plain=false -h', 'wrap', '-- --plain=false -h'],
  ['wrap -', 'wrap', '-'],
  ['--version', 'version', ''],
  ['version extra', 'version', 'extra'],
];

for (const [line, id, expected] of RUNS) {
  test(`dt ${line}`, () => {
    assert.deepEqual(normalize(line), { kind: 'run', id, argv: expected === '' ? [] : expected.split(' ') });
  });
}

const HELPS: readonly (readonly [string, string | undefined])[] = [
  ['', undefined],
  ['--help', undefined],
  ['-h', undefined],
  ['help', undefined],
  ['--plain', undefined],
  ['help wrap', 'wrap'],
  ['help images', 'images'],
  ['help images lock', 'images lock'],
  ['wrap --help', 'wrap'],
  ['wrap ./chart -h', 'wrap'],
  ['--plain wrap --help', 'wrap'],
  ['--help wrap', 'wrap'],
  ['images', 'images'],
  ['images --help', 'images'],
  ['images lock -h', 'images lock'],
];

for (const [line, id] of HELPS) {
  test(`dt ${line} is help`, () => {
    assert.deepEqual(normalize(line), id === undefined ? { kind: 'help' } : { kind: 'help', id });
  });
}

const WRONG: readonly string[] = [
  'wrapp c',
  'images lok c',
  'images ./chart',
  'help nothing',
  'constructor',
  '--unknown wrap',
  'wrap --plain=yes c',
  'wrap --plain= c',
  'wrap --with-plugin= c',
  'wrap --plain=reg.example.com c',
  'wrap --insecure=yes c',
  'wrap --insecure=https://reg.example.com c',
  'wrap --insecure=--plain c',
  'wrap -y=1 c',
];

for (const line of WRONG) {
  test(`dt ${line} is wrong usage`, () => {
    assert.throws(
      () => normalize(line),
      (error) => isDtError(error, 'DT_USAGE'),
    );
  });
}

test('a boolean flag that takes more than true and false says what', () => {
  const taken = [
    ['wrap --plain= c', /takes true or false, not/],
    ['wrap --insecure= c', /takes true, false or a host such as/],
    ['wrap --with-plugin= c', /takes true, false or a file, not/],
  ] as const;
  for (const [line, message] of taken) assert.throws(() => normalize(line), { message });
});

test('an unknown command comes with the closest one', () => {
  const details = ['wrpa', 'images lok', 'image', 'qqqqqq'].map((line) => {
    try {
      return normalize(line);
    } catch (error) {
      return isDtError(error) ? error.detail : error;
    }
  });
  assert.deepEqual(details, [
    'Did you mean "wrap"?',
    'Did you mean "images lock"?',
    'Did you mean "images"?',
    undefined,
  ]);
});

function normalize(line: string): Invocation {
  return normalizeArgv(line === '' ? [] : line.split(' '), COMMANDS, GLOBAL_FLAGS);
}
