import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DtError } from '../../../../src/domain/errors.ts';
import { toTransportError } from '../../../../src/transport/http/http-errors.ts';

const url = new URL('https://registry.example:5000/v2/');

function word(code: string, more: object = {}): DtError {
  const error = toTransportError(Object.assign(new Error(`raw text of ${code}`), { code, ...more }), { url });
  assert.ok(error instanceof DtError);
  assert.equal(error.code, 'DT_REGISTRY_UNREACHABLE');
  return error;
}

for (const code of [
  'EMFILE',
  'ENFILE',
  'ERR_TOO_MANY_REDIRECTS',
  'ERR_UNSUPPORTED_PROTOCOL',
  'HPE_INVALID_CONSTANT',
  'HPE_HEADER_OVERFLOW',
  'CERT_HAS_EXPIRED',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]) {
  test(`${code} is put in words, and not tried again`, () => {
    const { message, isTransient } = word(code);
    assert.ok(!message.includes('raw text'), message);
    assert.equal(isTransient, false);
  });
}

/** What the only hint must hold. */
const HINTS: readonly (readonly [string, string])[] = [
  ['CERT_HAS_EXPIRED', '--insecure=registry.example:5000'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', '--insecure=registry.example:5000'],
  ['EMFILE', '--concurrency'],
  ['ECONNREFUSED', 'registry.example:5000'],
  ['ENOTFOUND', 'HTTPS_PROXY'],
  ['EAI_AGAIN', 'HTTPS_PROXY'],
];

for (const [code, part] of HINTS) {
  test(`the one hint for ${code} is about ${part}`, () => {
    const { hints } = word(code);
    assert.ok(hints.length === 1 && hints.every((hint) => hint.includes(part)), hints.join());
  });
}

test('too long headers and other bad answers are told apart', () => {
  assert.notEqual(word('HPE_HEADER_OVERFLOW').message, word('HPE_INVALID_CONSTANT').message);
});

test('the names of a certificate are told, bounded and without control characters', () => {
  const named = word('ERR_TLS_CERT_ALTNAME_INVALID', {
    cert: { subjectaltname: 'DNS:a.example, IP Address:192.0.2.1' },
  });
  assert.ok(named.message.endsWith('a.example, 192.0.2.1'), named.message);
  const subjectaltname = `DNS:\u001b[31m${'DNS:x'.repeat(100_000)}`;
  const { message } = word('ERR_TLS_CERT_ALTNAME_INVALID', { cert: { subjectaltname } });
  assert.ok(message.length < 400 && !message.includes('\u001b'), message);
});
