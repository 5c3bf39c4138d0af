import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readRequest, type CompletionRequest } from '../../../../src/commands/completing/read-request.ts';
import type { CommandDescription, FlagDescription } from '../../../../src/commands/describe-commands.ts';

function flag(name: string, extra: Partial<FlagDescription> = {}): FlagDescription {
  const common = { summary: `about ${name}`, isHidden: false, isGlobal: false, isList: false, options: [] };
  return { name, isBoolean: false, ...common, ...extra };
}

const GLOBAL_FLAGS = [
  flag('plain', { isBoolean: true }),
  flag('log-level', { options: ['debug', 'info'] }),
  flag('insecure', { isBoolean: true, perHostFlag: 'insecure-host' }),
  flag('insecure-host', { isHidden: true }),
];
const CHART = { name: 'chart', isRequired: true, isList: true, description: '', options: [] };
const FILE = { ...CHART, name: 'file', isList: false };
const COMMANDS: readonly CommandDescription[] = [
  { id: 'images lock', summary: 'lock', args: [{ ...CHART, isList: false }], flags: GLOBAL_FLAGS, examples: [] },
  { id: 'images pull', summary: 'pull', args: [], flags: GLOBAL_FLAGS, examples: [] },
  {
    id: 'unwrap',
    summary: 'push',
    args: [FILE, { ...FILE, name: 'prefix' }],
    flags: [
      ...GLOBAL_FLAGS,
      flag('naming', { options: ['flatten', 'basename'] }),
      flag('platforms', { isList: true, delimiter: ',' }),
      flag('color', { isBoolean: true, hasNegation: true }),
      flag('user', { char: 'u' }),
      flag('output-file', { char: 'o', valueName: 'FILE' }),
    ],
    examples: [],
  },
  { id: 'wrap', summary: 'pack', args: [CHART], flags: GLOBAL_FLAGS, examples: [] },
];
const PROGRAM = { commands: COMMANDS, globalFlags: GLOBAL_FLAGS, groups: { images: 'images of charts' } };

function summarize(request: CompletionRequest | undefined): string {
  if (request === undefined) return 'nothing';
  if (request.kind === 'words') return request.words.map(({ text }) => text).join(' ');
  if (request.kind === 'flags') return request.flags.map(({ text }) => text).join(' ');
  const { choice, word, args } = request;
  return `${typeof choice === 'string' ? `<${choice}>` : choice.join('|')} "${word}" after [${args.join(' ')}]`;
}

/** What is typed (the last word may be empty), and what is asked for. */
const LINES: readonly (readonly [string, string])[] = [
  ['', 'images unwrap wrap help'],
  ['wr', 'images unwrap wrap help'],
  ['images ', 'lock pull'],
  ['--plain ', 'images unwrap wrap help'],
  ['--plain images --log-level info ', 'lock pull'],
  ['--log-level ', 'debug|info "" after []'],
  ['--', '--plain --log-level --insecure --help'],
  ['--nothing ', 'nothing'],
  ['nothing ', 'nothing'],
  ['images nothing ', 'nothing'],
  ['help ', 'images unwrap wrap'],
  ['help images l', 'lock pull'],
  ['wrap ', '<chart> "" after []'],
  ['wrap a b ./c', '<chart> "./c" after [a b]'],
  ['images lock a ', 'nothing'],
  ['images pull ', 'nothing'],
  ['unwrap ', '<wrap> "" after []'],
  ['unwrap w ', '<registry-url> "" after [w]'],
  ['unwrap --plain w --naming flatten p', '<registry-url> "p" after [w]'],
  ['unwrap w p ', 'nothing'],
  ['unwrap - ', '<registry-url> "" after [-]'],
  ['unwrap --naming ', 'flatten|basename "" after []'],
  ['unwrap w --naming f', 'flatten|basename "f" after [w]'],
  ['unwrap w --naming=f', 'flatten|basename "f" after [w]'],
  ['unwrap --naming=f ', '<wrap> "" after []'],
  ['unwrap -o ', '<file> "" after []'],
  ['unwrap -oX ', '<wrap> "" after []'],
  ['unwrap --user ', '<nothing> "" after []'],
  ['unwrap --plain=', 'nothing'],
  ['unwrap --insecure=', '<registry> "" after []'],
  ['unwrap --insecure ', '<wrap> "" after []'],
  ['unwrap --unknown ', '<wrap> "" after []'],
  [
    'unwrap --naming flatten --platforms a --col',
    '--plain --log-level --insecure --platforms --color --no-color --user --output-file --help',
  ],
  ['unwrap -- -', '<wrap> "-" after []'],
  ['unwrap -- --naming ', '<registry-url> "" after [--naming]'],
];

for (const [line, expected] of LINES) {
  test(`"dt ${line}" asks for ${expected}`, () => {
    assert.equal(summarize(readRequest(line.split(' '), PROGRAM)), expected);
  });
}

test('commands, groups and flags come with their summaries, list flags with their delimiter', () => {
  assert.deepEqual(readRequest([''], PROGRAM), {
    kind: 'words',
    word: '',
    words: [
      { text: 'images', summary: 'images of charts' },
      { text: 'unwrap', summary: 'push' },
      { text: 'wrap', summary: 'pack' },
      { text: 'help', summary: 'show help about a command' },
    ],
  });
  const flags = readRequest(['wrap', '--pl'], PROGRAM);
  assert.ok(flags?.kind === 'flags');
  assert.deepEqual(flags.flags[0], { text: '--plain', summary: 'about plain' });
  const list = readRequest(['unwrap', '--platforms', 'a,'], PROGRAM);
  assert.ok(list?.kind === 'value');
  assert.equal(list.delimiter, ',');
});
