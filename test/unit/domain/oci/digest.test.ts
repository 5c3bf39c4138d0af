import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import {
  digestAlgorithm,
  digestHex,
  digestOf,
  isDigest,
  matchesDigest,
  parseDigest,
} from '../../../../src/domain/oci/digest.ts';

const SHA256 = `sha256:${'a'.repeat(64)}`;
const SHA512 = `sha512:${'b'.repeat(128)}`;

test('takes the two registered algorithms in their canonical form', () => {
  for (const text of [SHA256, SHA512]) assert.equal(parseDigest(text), text);
  assert.equal(digestAlgorithm(parseDigest(SHA256)), 'sha256');
  assert.equal(digestAlgorithm(parseDigest(SHA512)), 'sha512');
  assert.equal(digestHex(parseDigest(SHA512)), 'b'.repeat(128));
});

for (const text of [
  '',
  'sha256:',
  'sha256:abc',
  SHA256.toUpperCase(),
  `sha256:${'A'.repeat(64)}`,
  `${SHA256}a`,
  `${SHA256}\n`,
  ` ${SHA256}`,
  `sha512:${'a'.repeat(64)}`,
  `sha256:${'b'.repeat(128)}`,
  `md5:${'a'.repeat(32)}`,
  `sha256:${'g'.repeat(64)}`,
  `sha256:../${'a'.repeat(61)}`,
  5,
  null,
  undefined,
  {},
  [SHA256, 1],
]) {
  test(`refuses ${text === undefined ? 'undefined' : JSON.stringify(text).slice(0, 40)}`, () => {
    assert.throws(() => parseDigest(text), { code: 'DT_MANIFEST_INVALID' });
    if (typeof text === 'string') assert.equal(isDigest(text), false);
  });
}

test('compares bytes by the algorithm of the digest', () => {
  const bytes = Buffer.from('hello');
  const sha512 = parseDigest(`sha512:${createHash('sha512').update(bytes).digest('hex')}`);
  assert.equal(digestOf(bytes), 'sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824');
  assert.equal(matchesDigest(bytes, digestOf('hello')), true);
  assert.equal(matchesDigest(bytes, sha512), true);
  assert.equal(matchesDigest(Buffer.from('hellp'), sha512), false);
  assert.equal(matchesDigest(Buffer.from('hellp'), digestOf(bytes)), false);
});
