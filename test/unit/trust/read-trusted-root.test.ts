import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readTrustedRoot } from '../../../src/trust/read-trusted-root.ts';
import { readRecorded } from '../../support/recorded-signatures.ts';
import { toJson } from '../../support/signatures.ts';

const bytes = readRecorded('trusted-root.json');
const root = JSON.parse(bytes.toString()) as Readonly<Record<string, unknown>>;

test('reads the root of the public Sigstore', () => {
  const { certificateAuthorities, tlogs, ctlogs, timestampAuthorities } = readTrustedRoot(bytes, 'root');
  assert.deepEqual(
    [certificateAuthorities.length, tlogs.length, ctlogs.length, timestampAuthorities.length],
    [2, 1, 2, 1],
  );
});

for (const mediaType of [
  'application/vnd.dev.sigstore.trustedroot+json;version=0.2',
  'application/vnd.dev.sigstore.trustedroot.v0.2+json',
]) {
  test(`reads ${mediaType}`, () => {
    assert.equal(readTrustedRoot(toJson({ ...root, mediaType }), 'root').tlogs.length, 1);
  });
}

for (const [name, value] of Object.entries({
  'an empty object': {},
  null: null,
  'the media type of a bundle': { ...root, mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json' },
  'no authority': { ...root, certificateAuthorities: [] },
  'an authority without certificates': { ...root, certificateAuthorities: [{ uri: 'https://example.test' }] },
  'an authority with other bytes': {
    ...root,
    certificateAuthorities: [{ certChain: { certificates: [{ rawBytes: 'AAAA' }] } }],
  },
  'a log without a key': { ...root, tlogs: [{ baseUrl: 'https://example.test' }] },
  'a log with another key': { ...root, tlogs: [{ publicKey: { rawBytes: 'AAAA' }, logId: { keyId: 'AAAA' } }] },
})) {
  test(`refuses a root with ${name}`, () => {
    assert.throws(() => readTrustedRoot(toJson(value), 'root'), { code: 'DT_TRUSTED_ROOT_INVALID' });
  });
}

test('refuses what is not JSON, and more than 1 MiB', () => {
  for (const other of [Buffer.from('{'), Buffer.concat([bytes, Buffer.alloc(1024 * 1024, ' ')])]) {
    assert.throws(() => readTrustedRoot(other, 'root'), { code: 'DT_TRUSTED_ROOT_INVALID' });
  }
});
