import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatReference,
  formatRepository,
  isRegistryHost,
  isRepository,
  isTag,
  namesRegistry,
  normalizeRegistry,
  parseReference,
  referenceIdentifier,
} from '../../../../src/domain/oci/reference.ts';

const SHA256 = `sha256:${'a'.repeat(64)}`;
const SHA512 = `sha512:${'b'.repeat(128)}`;

// Text, registry, repository, tag, digest.
const VALID: readonly (readonly [
  text: string,
  registry: string,
  repository: string,
  tag?: string | undefined,
  digest?: string,
])[] = [
  ['nginx', 'docker.io', 'library/nginx'],
  ['nginx:1.25', 'docker.io', 'library/nginx', '1.25'],
  ['bitnami/nginx', 'docker.io', 'bitnami/nginx'],
  ['docker.io/nginx', 'docker.io', 'library/nginx'],
  ['index.docker.io/nginx', 'docker.io', 'library/nginx'],
  ['registry-1.docker.io/a/b:c', 'docker.io', 'a/b', 'c'],
  ['docker.io/library/nginx', 'docker.io', 'library/nginx'],
  [`nginx@${SHA256}`, 'docker.io', 'library/nginx', undefined, SHA256],
  [`nginx:1.25@${SHA256}`, 'docker.io', 'library/nginx', '1.25', SHA256],
  [`quay.io/a/b@${SHA512}`, 'quay.io', 'a/b', undefined, SHA512],
  ['localhost/a', 'localhost', 'a'],
  ['localhost:5000/a', 'localhost:5000', 'a'],
  ['localhost:5000/a:5000', 'localhost:5000', 'a', '5000'],
  ['registry:5000/a/b/c:v1', 'registry:5000', 'a/b/c', 'v1'],
  ['127.0.0.1:5000/a', '127.0.0.1:5000', 'a'],
  ['[::1]/a', '[::1]', 'a'],
  ['[::1]:5000/a/b:c', '[::1]:5000', 'a/b', 'c'],
  ['[2001:db8::1]:443/a', '[2001:db8::1]:443', 'a'],
  ['ghcr.io/a/b__c/d--e/f.g_h', 'ghcr.io', 'a/b__c/d--e/f.g_h'],
  ['a/b/c', 'docker.io', 'a/b/c'],
  ['host.example.com:443/a', 'host.example.com:443', 'a'],
  ['library/nginx', 'docker.io', 'library/nginx'],
  ['nginx:_x', 'docker.io', 'library/nginx', '_x'],
  [`nginx:${'t'.repeat(128)}`, 'docker.io', 'library/nginx', 't'.repeat(128)],
  ['quay.io/sha256:abc', 'quay.io', 'sha256', 'abc'],
];

for (const [text, registry, repository, tag, digest] of VALID) {
  test(`parses ${text.slice(0, 60)}`, () => {
    const reference = parseReference(text);
    assert.deepEqual(reference, {
      registry,
      repository,
      ...(tag === undefined ? {} : { tag }),
      ...(digest === undefined ? {} : { digest }),
    });
    assert.deepEqual(parseReference(formatReference(reference)), reference);
    assert.equal(formatRepository(reference), `${registry}/${repository}`);
    assert.equal(referenceIdentifier(reference), digest ?? tag ?? 'latest');
  });
}

const INVALID = [
  '',
  ' ',
  ':',
  '@',
  '/',
  'nginx:',
  'nginx@',
  ':1.25',
  `@${SHA256}`,
  SHA256,
  'a'.repeat(64),
  'nginx@sha256:abc',
  `nginx@sha256:${'A'.repeat(64)}`,
  `nginx@md5:${'a'.repeat(32)}`,
  `nginx@${SHA256}@${SHA256}`,
  'Nginx',
  'docker.io/Nginx',
  'oci://quay.io/a',
  'https://quay.io/a',
  'quay.io/',
  'quay.io//a',
  'quay.io/a/',
  'quay.io/a//b',
  '/a',
  'quay.io/../a',
  'quay.io/a/..',
  'quay.io/a/./b',
  'quay.io/a%2fb',
  'quay.io/a?b=c',
  'quay.io/a#b',
  'quay.io/a b',
  'quay.io/a\nb',
  'quay.io/a:b c',
  'quay.io/a:-b',
  'quay.io/a:.b',
  `nginx:${'t'.repeat(129)}`,
  `quay.io/${'a'.repeat(256)}`,
  'user@host.com/a',
  'host:port/a',
  'host:99999/a',
  'host:123456/a',
  'host:/a',
  '256.256.256.256/a',
  'a.b.999/c',
  '[::1/a',
  '::1/a',
  '[::g]/a',
  '[:::::]/a',
  '-host.com/a',
  'host-.com/a',
  'host..com/a',
  'hóst.com/a',
  'quay.io/é',
  'quay.io/a\u0000',
  'quay.io/a__-b',
  'quay.io/a...b',
];

for (const text of INVALID) {
  test(`refuses ${JSON.stringify(text.slice(0, 60))}`, () => {
    assert.throws(() => parseReference(text), { code: 'DT_BAD_REFERENCE' });
  });
}

test('every accepted registry makes a URL', () => {
  for (const host of ['a', 'a.b', 'localhost:1', '[::1]:65535', '1.2.3.4']) {
    assert.equal(isRegistryHost(host), true, host);
    assert.equal(URL.canParse(`https://${host}/v2/`), true);
  }
  for (const host of ['', 'a:65536', 'a:99999', '[::::]', 'a/b', 'a?b', 'a@b', '1.2.3.4.5', 'a b'])
    assert.equal(isRegistryHost(host), false, host);
});

test('small predicates', () => {
  assert.deepEqual(['localhost', 'a.b', 'a:1', 'a', 'LOCALHOST'].map(namesRegistry), [true, true, true, false, false]);
  assert.deepEqual(['a', 'a/b', 'A', '', 'a/', '-a'].map(isRepository), [true, true, false, false, false, false]);
  assert.deepEqual(['a', '_', '-a', '', 'a/b', 'A.b-c_d'].map(isTag), [true, true, false, false, false, true]);
  assert.deepEqual(['Docker.io', 'INDEX.docker.io', 'quay.io'].map(normalizeRegistry), [
    'docker.io',
    'docker.io',
    'quay.io',
  ]);
});
