// The attack: the registry of the site holds a signature that is real and by the right key, but was made for something else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { digestOf, type Digest } from '../../src/domain/oci/digest.ts';
import { createBlobVerifier } from '../../src/trust/blob-verifier.ts';
import { readPublicKey } from '../../src/trust/read-key.ts';
import { verifyDsseLayer } from '../../src/trust/verify-dsse-layer.ts';
import { verifyImageBundle } from '../../src/trust/verify-image-bundle.ts';
import { verifySimpleSigning } from '../../src/trust/verify-simple-signing.ts';
import { readCosignRecord } from '../support/recorded-signatures.ts';

const record = readCosignRecord();
const policy = { kind: 'key', key: readPublicKey(record.publicKey, 'cosign.pub') } as const;

/** Every real signature and attestation, checked against a subject. */
const CHECKS: Readonly<Record<string, (subject: Digest) => unknown>> = {
  'signature bundle': (subject) => verifyImageBundle(Buffer.from(record.signatureBundle), subject, policy),
  'attestation bundle': (subject) => verifyImageBundle(Buffer.from(record.attestationBundle), subject, policy),
  'classic signature': (subject) => {
    const { payload, annotations } = record.simpleSigning;
    return verifySimpleSigning(Buffer.from(payload), annotations, subject, policy);
  },
  'classic attestation': (subject) => {
    const { envelope, annotations } = record.dsseLayer;
    return verifyDsseLayer(Buffer.from(envelope), annotations, subject, policy);
  },
};

for (const [name, check] of Object.entries(CHECKS)) {
  test(`${name}: good for its own image, not for an image of the attacker`, () => {
    assert.ok(check(record.image));
    assert.throws(() => check(digestOf('an image of the attacker')), { code: 'DT_SIGNATURE_INVALID' });
  });
}

test('the signature of a file is none of an image with the same digest', () => {
  const subject = digestOf(record.file);
  assert.throws(() => verifyImageBundle(Buffer.from(record.fileBundle), subject, policy), {
    code: 'DT_SIGNATURE_INVALID',
  });
});

test('the signature of an image is none of a file', () => {
  const verifier = createBlobVerifier(Buffer.from(record.signatureBundle), policy);
  verifier.update(Buffer.from(record.file));
  assert.throws(() => verifier.finish(), { code: 'DT_SIGNATURE_INVALID' });
});

test('a classic payload in the place of an envelope, and the other way round', () => {
  const { simpleSigning, dsseLayer, image } = record;
  const { annotations } = simpleSigning;
  assert.throws(() => verifyDsseLayer(Buffer.from(simpleSigning.payload), annotations, image, policy), {
    code: 'DT_SIGNATURE_INVALID',
  });
  assert.throws(() => verifySimpleSigning(Buffer.from(dsseLayer.envelope), annotations, image, policy), {
    code: 'DT_SIGNATURE_INVALID',
  });
});
