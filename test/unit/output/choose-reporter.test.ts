import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  chooseReporter,
  parseLogLevel,
  type ReporterChoice,
  type ReporterKind,
} from '../../../src/output/choose-reporter.ts';

const ON_TERMINAL: ReporterChoice = {
  isTerminal: true,
  isCi: false,
  isPlain: false,
  isJson: false,
  logLevel: 'info',
};

const CASES: readonly (readonly [string, Partial<ReporterChoice>, ReporterKind])[] = [
  ['a terminal', {}, 'live'],
  ['a pipe', { isTerminal: false }, 'lines'],
  ['CI', { isCi: true }, 'lines'],
  ['--plain', { isPlain: true }, 'lines'],
  ['--json', { isJson: true }, 'lines'],
  ['level debug', { logLevel: 'debug' }, 'lines'],
  ['level warn', { logLevel: 'warn' }, 'silent'],
  ['level error', { logLevel: 'error' }, 'silent'],
  ['level error in a pipe', { logLevel: 'error', isTerminal: false }, 'silent'],
];

for (const [name, change, expected] of CASES) {
  test(`${name}: ${expected}`, () => {
    assert.equal(chooseReporter({ ...ON_TERMINAL, ...change }), expected);
  });
}

test('the level names of the Go tool are known, others are not', () => {
  const names = ['trace', 'debug', 'INFO', 'warn', 'error', 'fatal', 'panic', 'loud', 'constructor'];
  assert.deepEqual(names.map(parseLogLevel), [
    'debug',
    'debug',
    'info',
    'warn',
    'error',
    'error',
    'error',
    undefined,
    undefined,
  ]);
});
