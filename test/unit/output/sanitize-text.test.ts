import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assertPrintable } from '../../support/assert-refused.ts';
import { formatJson, sanitizeText } from '../../../src/output/sanitize-text.ts';

const HOSTILE = 'a\u001b[31m\u009b2J\u0007\u007f\u202eb\u2066\u200f\r\nc\td é 🎉 \\ "';

describe('formatJson', () => {
  it('means what it was given, and holds nothing that a terminal obeys', () => {
    const document = { [HOSTILE]: [HOSTILE, 1, null, true], nested: { text: '\\u009b' } };
    const text = formatJson(document);
    assertPrintable(text);
    assert.deepEqual(JSON.parse(text), document);
    assert.ok(text.includes('é 🎉'));
  });

  it('is indented like any other', () => {
    assert.equal(formatJson({ a: [1] }), '{\n  "a": [\n    1\n  ]\n}');
  });
});

describe('sanitizeText', () => {
  it('makes one printable line', () => {
    assert.equal(sanitizeText(HOSTILE), 'ab c d é 🎉 \\ "');
  });
});
