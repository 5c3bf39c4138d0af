import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatProvenance, readProvenanceChecksums } from '../../../../src/domain/plugin/plugin-provenance.ts';

const SHA256 = 'ab'.repeat(32);
const HELMS_OWN = `-----BEGIN PGP SIGNED MESSAGE-----
Hash: SHA512

APIVersion: legacy
Name: dt

...
files:
  dt-0.1.0.tgz: sha256:${SHA256}
-----BEGIN PGP SIGNATURE-----
`;

test('a package has its checksum under every name that Helm may look for, each once', () => {
  const text = formatProvenance({ name: 'dt', version: '1.0.0' }, SHA256, ['a.tgz', 'b.tgz', 'a.tgz']);
  assert.equal(text, `name: dt\nversion: 1.0.0\n\n...\nfiles:\n  a.tgz: sha256:${SHA256}\n  b.tgz: sha256:${SHA256}\n`);
  assert.deepEqual(
    [...readProvenanceChecksums(text)],
    ['a.tgz', 'b.tgz'].map((name) => [name, `sha256:${SHA256}`]),
  );
});

test('the checksums of what Helm has signed are read, and nothing else', () => {
  assert.deepEqual([...readProvenanceChecksums(HELMS_OWN)], [['dt-0.1.0.tgz', `sha256:${SHA256}`]]);
  assert.deepEqual([...readProvenanceChecksums('files:\n  a.tgz: sha256:12\n  b: c\n')], []);
});
