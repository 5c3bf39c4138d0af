import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkEntryPath } from '../../../src/archive/entry-path.ts';

const GOOD: Readonly<Record<string, string>> = {
  'a/b': 'a/b',
  './a/b/': 'a/b',
  'a//b/./c': 'a/b/c',
  '.': '',
  './': '',
  'a..b/..c': 'a..b/..c',
  '.hidden': '.hidden',
  '...': '...',
  'registry:5000/a': 'registry:5000/a',
  'a?<>|*"b': 'a?<>|*"b',
  'größe 日本': 'größe 日本',
};
for (const [path, expected] of Object.entries(GOOD)) {
  test(`${JSON.stringify(path)} becomes ${JSON.stringify(expected)}`, () => {
    assert.equal(checkEntryPath(path), expected);
  });
}

const BAD = [
  '/a',
  '//a',
  '..',
  'a/..',
  '../a',
  'a/../b',
  './../a',
  'a\\b',
  '..\\a',
  'C:/a',
  './c:a',
  'a\0b',
  'a\nb',
  'a\u001b',
  'a\u009bb',
];
for (const path of [...BAD, 'a'.repeat(256), 'a/'.repeat(3000)]) {
  test(`${JSON.stringify(path.slice(0, 30))} is refused`, () => {
    assert.throws(() => checkEntryPath(path), { code: 'DT_UNSAFE_ENTRY' });
  });
}
