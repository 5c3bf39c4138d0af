import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LineIndex } from '../../../../src/domain/yaml/line-index.ts';

test('every offset has the line that it lies in, also the line feed and the end of the text', () => {
  const text = 'ab\n\ncd\n';
  const lines = new LineIndex(text);
  const found = Array.from({ length: text.length + 1 }, (_, offset) => lines.lineOf(offset));
  assert.deepEqual(found, [1, 1, 1, 2, 3, 3, 3, 4]);
});

test('a text without line feeds has one line', () => {
  assert.equal(new LineIndex('').lineOf(0), 1);
  assert.equal(new LineIndex('abc').lineOf(2), 1);
});
