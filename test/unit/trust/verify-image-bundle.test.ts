import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { digestOf, type Digest } from '../../../src/domain/oci/digest.ts';
import { keyFingerprint } from '../../../src/trust/key-algorithm.ts';
import type { VerifiedSignature } from '../../../src/trust/trust-policy.ts';
import { verifyImageBundle } from '../../../src/trust/verify-image-bundle.ts';
import {
  createEnvelope,
  createMessageBundle,
  createStatement,
  createStatementBundle,
  PREDICATE_OF_SIGNATURES,
  toJson,
} from '../../support/signatures.ts';

const IMAGE = digestOf('an image');
const OTHER_IMAGE = digestOf('another image');
const SHA512_IMAGE = `sha512:${'0a'.repeat(64)}` as Digest;
const SLSA = 'https://slsa.dev/provenance/v1';
const owner = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const ed25519 = generateKeyPairSync('ed25519');
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });

test('a signature of the image verifies', () => {
  assert.deepEqual(verify(createStatementBundle(IMAGE, owner.privateKey)), {
    kind: 'signature',
    predicateType: PREDICATE_OF_SIGNATURES,
    signer: { kind: 'key', fingerprint: keyFingerprint(owner.publicKey) },
  });
});

test('an attestation about the image verifies', () => {
  const { kind, predicateType } = verify(createStatementBundle(IMAGE, owner.privateKey, {}, SLSA));
  assert.deepEqual([kind, predicateType], ['attestation', SLSA]);
});

test('a SHA-512 digest is compared as such', () => {
  const bundle = createStatementBundle(SHA512_IMAGE, owner.privateKey);
  assert.equal(verify(bundle, SHA512_IMAGE).kind, 'signature');
  refuse(bundle);
  refuse(createStatementBundle(`sha256:${'0a'.repeat(64)}` as Digest, owner.privateKey), SHA512_IMAGE);
});

for (const [name, { privateKey, publicKey }, hash] of [
  ['P-384 and SHA-256', p384, 'sha256'],
  ['P-384 and SHA-384', p384, 'sha384'],
  ['RSA', rsa, 'sha256'],
  ['Ed25519', ed25519, null],
] as const) {
  test(`takes signatures with ${name}`, () => {
    const bundle = withEnvelope(createEnvelope(createStatement(IMAGE), privateKey, { hash }));
    assert.equal(verify(bundle, IMAGE, publicKey).kind, 'signature');
    refuse(bundle, OTHER_IMAGE, publicKey);
    refuse(bundle, IMAGE, owner.publicKey);
  });
}

test('a valid signature that was copied from another image is refused', () => {
  refuse(createStatementBundle(OTHER_IMAGE, owner.privateKey));
});

test('a signature by another key is refused', () => {
  refuse(createStatementBundle(IMAGE, other.privateKey));
});

test('every flipped bit of payload and signature is refused', () => {
  const { payload, payloadType, signatures } = createEnvelope(createStatement(IMAGE), owner.privateKey);
  for (const flipped of flipBits(payload)) refuse(withEnvelope({ payload: flipped, payloadType, signatures }));
  for (const flipped of flipBits(signatures[0]?.sig ?? '')) {
    refuse(withEnvelope({ payload, payloadType, signatures: [{ sig: flipped }] }));
  }
});

test('the signature covers the type of the payload', () => {
  const envelope = createEnvelope(createStatement(IMAGE), owner.privateKey, { payloadType: 'text/plain' });
  refuse(withEnvelope(envelope));
  refuse(withEnvelope({ ...envelope, payloadType: 'application/vnd.in-toto+json' }));
});

test('an envelope has exactly one signature', () => {
  const mine = createEnvelope(createStatement(IMAGE), owner.privateKey);
  const [signature] = mine.signatures;
  const [foreign] = createEnvelope(createStatement(IMAGE), other.privateKey).signatures;
  refuse(withEnvelope({ ...mine, signatures: [] }));
  refuse(withEnvelope({ ...mine, signatures: [signature, foreign] }));
  refuse(withEnvelope({ ...mine, signatures: [signature, signature] }));
});

const statement = JSON.parse(createStatement(IMAGE).toString()) as Record<string, unknown>;
const hex = IMAGE.slice('sha256:'.length);
for (const [name, changes] of Object.entries({
  'no subject': { subject: [] },
  'a subject that is no list': { subject: { digest: { sha256: hex } } },
  'a subject without a digest': { subject: [{ name: IMAGE }] },
  'the digest under another algorithm': { subject: [{ digest: { sha1: hex, md5: hex } }] },
  'the digest in capitals': { subject: [{ digest: { sha256: hex.toUpperCase() } }] },
  'a digest that is cut off': { subject: [{ digest: { sha256: hex.slice(0, -1) } }] },
  'the whole digest as hexadecimal part': { subject: [{ digest: { sha256: IMAGE } }] },
  'a digest that is a list': { subject: [{ digest: { sha256: [hex] } }] },
  'another type': { _type: 'https://example.test/Statement' },
  'no predicate type': { predicateType: undefined },
})) {
  test(`a signed statement with ${name} is refused`, () => {
    refuse(withEnvelope(createEnvelope(toJson({ ...statement, ...changes }), owner.privateKey)));
  });
}

test('one of several subjects is enough', () => {
  const subject = [{ digest: { sha256: OTHER_IMAGE.slice(7) } }, { name: 'app', digest: { sha256: hex, sha1: 'ab' } }];
  const bundle = withEnvelope(createEnvelope(toJson({ ...statement, subject }), owner.privateKey));
  assert.equal(verify(bundle).kind, 'signature');
  assert.equal(verify(bundle, OTHER_IMAGE).kind, 'signature');
});

test('more than 1024 subjects are too many', () => {
  const subject = Array.from({ length: 1025 }, () => ({ digest: { sha256: hex } }));
  const bundle = withEnvelope(createEnvelope(toJson({ ...statement, subject }), owner.privateKey));
  assert.throws(() => verify(bundle), { code: 'DT_LIMIT_EXCEEDED' });
});

test('a payload that is no JSON object is refused, although it is signed', () => {
  for (const text of ['', 'null', '[]', '{"_type":', '"text"']) {
    refuse(withEnvelope(createEnvelope(Buffer.from(text), owner.privateKey)));
  }
});

test('the signature of a file is none of an image', () => {
  refuse(createMessageBundle(Buffer.from('an image'), owner.privateKey));
});

function verify(bundle: unknown, subject = IMAGE, key: KeyObject = owner.publicKey): VerifiedSignature {
  return verifyImageBundle(toJson(bundle), subject, { kind: 'key', key });
}

function refuse(bundle: unknown, subject = IMAGE, key: KeyObject = owner.publicKey): void {
  assert.throws(() => verify(bundle, subject, key), { code: 'DT_SIGNATURE_INVALID' });
}

function withEnvelope(dsseEnvelope: unknown): unknown {
  return { ...createStatementBundle(IMAGE, owner.privateKey), dsseEnvelope };
}

function flipBits(base64: string): string[] {
  const bytes = Buffer.from(base64, 'base64');
  return Array.from({ length: bytes.length * 8 }, (_, bit) => {
    const copy = Buffer.from(bytes);
    copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    return copy.toString('base64');
  });
}
