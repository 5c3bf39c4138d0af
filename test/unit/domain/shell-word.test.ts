import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quoteShellWord } from '../../../src/domain/shell-word.ts';

for (const [text, quoted] of [
  ['out/shop-1.2.3+build.7.values.relocated.yaml', 'out/shop-1.2.3+build.7.values.relocated.yaml'],
  ['a folder/x', "'a folder/x'"],
  ["it's $(here)", "'it'\\''s $(here)'"],
  ['', "''"],
] as const) {
  test(`${text} is ${quoted} for a shell`, () => {
    assert.equal(quoteShellWord(text), quoted);
  });
}
