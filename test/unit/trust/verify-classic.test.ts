import assert from 'node:assert/strict';
import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { digestOf } from '../../../src/domain/oci/digest.ts';
import { keyFingerprint } from '../../../src/trust/key-algorithm.ts';
import type { VerifiedSignature } from '../../../src/trust/trust-policy.ts';
import { verifyDsseLayer } from '../../../src/trust/verify-dsse-layer.ts';
import { verifySimpleSigning } from '../../../src/trust/verify-simple-signing.ts';
import { createEnvelope, createSimplePayload, createStatement, toJson } from '../../support/signatures.ts';

const SIGNATURE = 'dev.cosignproject.cosign/signature';
const SLSA = 'https://slsa.dev/provenance/v1';
const IMAGE = digestOf('an image');
const OTHER_IMAGE = digestOf('another image');
const owner = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const signer = { kind: 'key', fingerprint: keyFingerprint(owner.publicKey) };
const payload = createSimplePayload(IMAGE);

test('a classic signature of the image verifies, wherever the image was', () => {
  assert.deepEqual(verifySimple(payload, signed(payload)), { kind: 'signature', signer });
});

test('a classic signature that was copied from another image is refused', () => {
  const copied = createSimplePayload(OTHER_IMAGE);
  refuseSimple(copied, signed(copied));
});

test('a classic signature by another key is refused', () => {
  refuseSimple(payload, signed(payload, other.privateKey));
});

test('every flipped bit of a classic payload or signature is refused', () => {
  const annotations = signed(payload);
  for (let bit = 0; bit < payload.length * 8; bit += 1) refuseSimple(flipBit(payload, bit), annotations);
  const signature = Buffer.from(annotations[SIGNATURE] ?? '', 'base64');
  for (let bit = 0; bit < signature.length * 8; bit += 1) {
    refuseSimple(payload, { [SIGNATURE]: flipBit(signature, bit).toString('base64') });
  }
});

for (const [name, bytes] of Object.entries({
  'of another type': createSimplePayload(IMAGE, 'atomic container signature'),
  'without an image': toJson({ critical: { type: 'cosign container image signature' } }),
  'without a critical part': toJson({ optional: { critical: {} } }),
  'with a digest that is a list': toJson({
    critical: { type: 'cosign container image signature', image: { 'docker-manifest-digest': [IMAGE] } },
  }),
  'with a digest that is cut off': createSimplePayload(IMAGE.slice(0, -1)),
  'that is a list': toJson([]),
  'that is not JSON': Buffer.from(IMAGE),
  'that is empty': Buffer.alloc(0),
})) {
  test(`a signed classic payload ${name} is refused`, () => {
    refuseSimple(bytes, signed(bytes));
  });
}

for (const [name, annotations] of Object.entries({
  none: {},
  'an empty one': { [SIGNATURE]: '' },
  'one that is not base64': { [SIGNATURE]: '!!' },
  'one of another name': { signature: signed(payload)[SIGNATURE] ?? '' },
  'an inherited one': Object.create(signed(payload)) as Record<string, string>,
})) {
  test(`a layer whose signature is ${name} is refused`, () => {
    refuseSimple(payload, annotations);
  });
}

test('a classic payload has at most 1 MiB', () => {
  const bytes = Buffer.alloc(1024 * 1024 + 1, ' ');
  assert.throws(() => verifySimple(bytes, signed(bytes)), { code: 'DT_LIMIT_EXCEEDED' });
});

test('a classic attestation verifies, and only for its image', () => {
  const envelope = createEnvelope(createStatement(IMAGE, SLSA), owner.privateKey);
  assert.deepEqual(verifyLayer(envelope), { kind: 'attestation', predicateType: SLSA, signer });
  refuseLayer(envelope, OTHER_IMAGE);
});

test('a classic attestation by another key is refused', () => {
  refuseLayer(createEnvelope(createStatement(IMAGE), other.privateKey));
});

test('a classic attestation with another payload or payload type is refused', () => {
  const envelope = createEnvelope(createStatement(OTHER_IMAGE), owner.privateKey);
  refuseLayer({ ...envelope, payload: createStatement(IMAGE).toString('base64') });
  const text = createEnvelope(createStatement(IMAGE), owner.privateKey, { payloadType: 'text/plain' });
  refuseLayer(text);
  refuseLayer({ ...text, payloadType: 'application/vnd.in-toto+json' });
});

for (const [name, value] of Object.entries({
  'an empty object': {},
  'a list': [],
  null: null,
  'without signatures': { ...createEnvelope(createStatement(IMAGE), owner.privateKey), signatures: undefined },
  'with numbers as signatures': { ...createEnvelope(createStatement(IMAGE), owner.privateKey), signatures: [1] },
  'with a payload that is an object': { ...createEnvelope(createStatement(IMAGE), owner.privateKey), payload: {} },
})) {
  test(`an envelope that is ${name} is refused`, () => {
    refuseLayer(value);
  });
}

test('an envelope has exactly one signature', () => {
  const envelope = createEnvelope(createStatement(IMAGE), owner.privateKey);
  const { signatures } = createEnvelope(createStatement(IMAGE), other.privateKey);
  refuseLayer({ ...envelope, signatures: [...envelope.signatures, ...signatures] });
  refuseLayer({ ...envelope, signatures: [] });
});

test('a signature over the bare statement is none of the envelope', () => {
  const statement = createStatement(IMAGE);
  const sig = sign('sha256', statement, owner.privateKey).toString('base64');
  refuseLayer({ ...createEnvelope(statement, owner.privateKey), signatures: [{ sig }] });
});

test('an envelope has at most 32 MiB', () => {
  assert.throws(
    () => verifyDsseLayer(Buffer.alloc(32 * 1024 * 1024 + 1, ' '), {}, IMAGE, { kind: 'key', key: owner.publicKey }),
    { code: 'DT_LIMIT_EXCEEDED' },
  );
});

function signed(bytes: Buffer, key: KeyObject = owner.privateKey): Record<string, string> {
  return { [SIGNATURE]: sign('sha256', bytes, key).toString('base64') };
}

function verifySimple(bytes: Buffer, annotations: Record<string, string>): VerifiedSignature {
  return verifySimpleSigning(bytes, annotations, IMAGE, { kind: 'key', key: owner.publicKey });
}

function refuseSimple(bytes: Buffer, annotations: Record<string, string>): void {
  assert.throws(() => verifySimple(bytes, annotations), { code: 'DT_SIGNATURE_INVALID' });
}

function verifyLayer(envelope: unknown, subject = IMAGE): VerifiedSignature {
  return verifyDsseLayer(toJson(envelope), {}, subject, { kind: 'key', key: owner.publicKey });
}

function refuseLayer(envelope: unknown, subject = IMAGE): void {
  assert.throws(() => verifyLayer(envelope, subject), { code: 'DT_SIGNATURE_INVALID' });
}

function flipBit(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}
