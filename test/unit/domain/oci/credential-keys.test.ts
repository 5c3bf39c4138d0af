import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  lookupKeys,
  normalizeKey,
  parseCredentialScope,
  storageKey,
} from '../../../../src/domain/oci/credential-keys.ts';

const HUB_KEY = 'https://index.docker.io/v1/';

/** What a user types, the registry and path that it means, and the key that it is stored under. */
const SCOPES: readonly (readonly [string, string, string, string])[] = [
  ['registry.example.com', 'registry.example.com', '', 'registry.example.com'],
  ['registry.example.com/', 'registry.example.com', '', 'registry.example.com'],
  ['https://registry.example.com/v2/', 'registry.example.com', '', 'registry.example.com'],
  ['oci://registry.example.com/team', 'registry.example.com', 'team', 'registry.example.com/team'],
  ['127.0.0.1:5000', '127.0.0.1:5000', '', '127.0.0.1:5000'],
  ['[::1]:5000/a/b', '[::1]:5000', 'a/b', '[::1]:5000/a/b'],
  ['registry.example.com/team/v2', 'registry.example.com', 'team/v2', 'registry.example.com/team/v2'],
  ['LOCALHOST:5000', 'localhost:5000', '', 'localhost:5000'],
  ['HTTPS://Registry.Example.com/v1/', 'registry.example.com', '', 'registry.example.com'],
  ['oci://Registry.Example.com/team', 'registry.example.com', 'team', 'registry.example.com/team'],
  ['docker.io', 'docker.io', '', HUB_KEY],
  ['index.docker.io', 'docker.io', '', HUB_KEY],
  [HUB_KEY, 'docker.io', '', HUB_KEY],
  ['docker.io/team', 'docker.io', 'team', 'docker.io/team'],
];

for (const [text, registry, path, key] of SCOPES) {
  test(`${text} is ${key}`, () => {
    const scope = parseCredentialScope(text);
    assert.deepEqual(scope, { registry, path });
    assert.equal(storageKey(scope), key);
    assert.equal(normalizeKey(key), path === '' ? registry : `${registry}/${path}`);
  });
}

for (const text of ['', 'bad registry', 'ftp://x', 'host/UPPER', 'host/app:1.0', 'user:pass@host', 'host/../x', '/x']) {
  test(`${JSON.stringify(text)} is no registry`, () => {
    assert.throws(() => parseCredentialScope(text), { code: 'DT_BAD_PREFIX' });
  });
}

test('the longest path is looked up first, the registry last', () => {
  assert.deepEqual(lookupKeys('r.example', 'a/b'), ['r.example/a/b', 'r.example/a', 'r.example']);
  assert.deepEqual(lookupKeys('index.docker.io', 'a'), ['docker.io/a', 'docker.io']);
  assert.deepEqual(lookupKeys('r.example', ''), ['r.example']);
});

test('a host is looked for without case, a path with it', () => {
  assert.deepEqual(lookupKeys('Registry.Example:5000', 'a'), ['registry.example:5000/a', 'registry.example:5000']);
  assert.equal(normalizeKey('Registry.Example/Team'), 'registry.example/Team');
});
