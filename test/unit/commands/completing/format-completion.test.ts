import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatCompletion } from '../../../../src/commands/completing/format-completion.ts';
import { ANY_FILE, NOTHING, toWords } from '../../../../src/workflows/completing/completion.ts';

test('the last line tells the shell what to do', () => {
  assert.equal(formatCompletion(NOTHING), ':4\n');
  assert.equal(formatCompletion(ANY_FILE), ':0\n');
  assert.equal(formatCompletion({ kind: 'folders' }), ':16\n');
  assert.equal(formatCompletion({ kind: 'files', extensions: ['yaml', 'yml'] }), 'yaml\nyml\n:8\n');
  assert.equal(formatCompletion(toWords(['a.tgz', 'b/'])), 'a.tgz\nb/\n:4\n');
});

test('no blank comes behind what goes on', () => {
  assert.equal(formatCompletion(toWords(['a/', 'oci://b/'])), 'a/\noci://b/\n:6\n');
});

test('a summary is one line behind a tab', () => {
  const words = [
    { text: '--x', summary: 'one\ntwo\t\u001b[31mred' },
    { text: 'y', summary: '' },
  ];
  assert.equal(formatCompletion({ kind: 'words', words }), '--x\tone two red\ny\n:4\n');
});

test('what a shell would not read as one word is left out', () => {
  const hostile = [
    'a b',
    'a\nb',
    'a\tb',
    '$(id)',
    '`id`',
    'a;b',
    "a'b",
    'a"b',
    'a\\b',
    'a*',
    '~/a',
    'a|b',
    'a&b',
    '!a',
    '#a',
  ];
  const escapes = ['a\u001b[2Jb', 'a\u0000', 'a\u0085b', 'a\u202eb', '', '-rf /', '_activeHelp_ x'];
  assert.equal(formatCompletion(toWords([...hostile, ...escapes, 'größe-1.0+b.tgz'])), 'größe-1.0+b.tgz\n:4\n');
});
