import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { test } from 'node:test';
import { digestOf } from '../../../src/domain/oci/digest.ts';
import { createBlobSigner } from '../../../src/trust/blob-signer.ts';
import { createBlobVerifier } from '../../../src/trust/blob-verifier.ts';
import { keyFingerprint } from '../../../src/trust/key-algorithm.ts';
import type { VerifiedSignature } from '../../../src/trust/trust-policy.ts';
import { createMessageBundle, createStatementBundle, toJson } from '../../support/signatures.ts';

const FILE = Buffer.from('the bytes of a wrap');
const owner = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ed25519 = generateKeyPairSync('ed25519');

interface MessageBundle {
  readonly verificationMaterial: unknown;
  readonly messageSignature: {
    readonly messageDigest: { readonly algorithm?: string; readonly digest: string };
    readonly signature: string;
  };
}

for (const [name, { privateKey, publicKey }] of Object.entries({ 'P-256': owner, 'P-384': p384, RSA: rsa })) {
  test(`a file signed with ${name} verifies, in chunks of any size`, () => {
    const bundle = signFile(FILE, privateKey);
    assert.deepEqual(verifyFile(bundle, FILE, publicKey), {
      kind: 'signature',
      signer: { kind: 'key', fingerprint: keyFingerprint(publicKey) },
    });
  });
}

test('an empty file can be signed', () => {
  const bundle = signFile(Buffer.alloc(0), owner.privateKey);
  assert.equal(verifyFile(bundle, Buffer.alloc(0), owner.publicKey).kind, 'signature');
  assert.throws(() => verifyFile(bundle, FILE, owner.publicKey), { code: 'DT_SIGNATURE_INVALID' });
});

test('the bundle names key and digest as cosign does', () => {
  const bundle = JSON.parse(signFile(FILE, owner.privateKey).toString()) as Record<string, unknown>;
  const spki = owner.publicKey.export({ type: 'spki', format: 'der' });
  assert.deepEqual(Object.keys(bundle), ['mediaType', 'verificationMaterial', 'messageSignature']);
  assert.equal(bundle['mediaType'], 'application/vnd.dev.sigstore.bundle.v0.3+json');
  assert.deepEqual(bundle['verificationMaterial'], {
    publicKey: { hint: createHash('sha256').update(spki).digest('base64') },
  });
  assert.deepEqual((bundle as unknown as MessageBundle).messageSignature.messageDigest, {
    algorithm: 'SHA2_256',
    digest: createHash('sha256').update(FILE).digest('base64'),
  });
});

test('takes the hash of the curve as well, as cosign signs with P-384', () => {
  assert.equal(verifyFile(signWith('SHA2_384', 'sha384', p384.privateKey), FILE, p384.publicKey).kind, 'signature');
});

test('a statement about the digest of the file counts as an attestation', () => {
  const statement = createStatementBundle(digestOf(FILE), owner.privateKey, {}, 'https://slsa.dev/provenance/v1');
  assert.deepEqual(verifyFile(toJson(statement), FILE, owner.publicKey), {
    kind: 'attestation',
    predicateType: 'https://slsa.dev/provenance/v1',
    signer: { kind: 'key', fingerprint: keyFingerprint(owner.publicKey) },
  });
  assert.throws(() => verifyFile(toJson(statement), Buffer.from('another'), owner.publicKey), {
    code: 'DT_SIGNATURE_INVALID',
  });
  assert.throws(() => verifyFile(toJson(statement), FILE, other.publicKey), { code: 'DT_SIGNATURE_INVALID' });
});

test('refuses every file with one bit flipped', () => {
  const bundle = signFile(FILE, owner.privateKey);
  for (let bit = 0; bit < FILE.length * 8; bit += 1) {
    assert.throws(() => verifyFile(bundle, flipBit(FILE, bit), owner.publicKey), { code: 'DT_SIGNATURE_INVALID' });
  }
});

test('refuses every signature and digest with one bit flipped', () => {
  const bundle = readBundle(signFile(FILE, owner.privateKey));
  const { messageDigest, signature } = bundle.messageSignature;
  for (let bit = 0; bit < Buffer.from(signature, 'base64').length * 8; bit += 1) {
    refuse(withMessage(bundle, { signature: flipBit(Buffer.from(signature, 'base64'), bit).toString('base64') }));
  }
  for (let bit = 0; bit < 256; bit += 1) {
    const digest = flipBit(Buffer.from(messageDigest.digest, 'base64'), bit).toString('base64');
    refuse(withMessage(bundle, { messageDigest: { ...messageDigest, digest } }));
  }
});

test('refuses a signature by another key, also when the bundle names ours', () => {
  const bundle = readBundle(signFile(FILE, other.privateKey));
  refuse(bundle);
  refuse({ ...bundle, verificationMaterial: { publicKey: { hint: keyFingerprint(owner.publicKey) } } });
});

test('refuses a digest that was replaced together with the file', () => {
  const forged = Buffer.from('other bytes');
  const bundle = readBundle(signFile(FILE, owner.privateKey));
  const digest = createHash('sha256').update(forged).digest('base64');
  const changed = withMessage(bundle, { messageDigest: { algorithm: 'SHA2_256', digest } });
  assert.throws(() => verifyFile(toJson(changed), forged, owner.publicKey), { code: 'DT_SIGNATURE_INVALID' });
});

for (const [name, algorithm, hash, key] of [
  ['SHA-384 with P-256', 'SHA2_384', 'sha384', owner],
  ['SHA-512 with P-256', 'SHA2_512', 'sha512', owner],
  ['SHA-512 with RSA', 'SHA2_512', 'sha512', rsa],
  ['SHA-3', 'SHA3_256', 'sha3-256', owner],
  ['no algorithm', undefined, 'sha256', owner],
  ['an unknown algorithm', 'SHA1', 'sha1', owner],
] as const) {
  test(`refuses a bundle with ${name}`, () => {
    refuse(JSON.parse(signWith(algorithm, hash, key.privateKey).toString()), key.publicKey);
  });
}

test('an RSA signature does not pass for another padding', () => {
  const bundle = createMessageBundle(FILE, rsa.privateKey) as unknown as MessageBundle;
  const signature = sign('sha256', FILE, { key: rsa.privateKey, padding: 6 }).toString('base64');
  refuse(withMessage(bundle, { signature }), rsa.publicKey);
});

test('Ed25519 neither signs nor checks files', () => {
  assert.throws(() => createBlobSigner(ed25519.privateKey), { code: 'DT_KEY_INVALID' });
  assert.throws(() => createBlobVerifier(signFile(FILE, owner.privateKey), policyOf(ed25519.publicKey)), {
    code: 'DT_KEY_INVALID',
  });
});

test('a public key signs nothing', () => {
  assert.throws(() => createBlobSigner(owner.publicKey), { code: 'DT_KEY_INVALID' });
});

const bundle = createMessageBundle(FILE, owner.privateKey);
for (const [name, value] of Object.entries({
  'an empty object': {},
  'a list': [],
  'no media type': { ...bundle, mediaType: undefined },
  'the media type of something else': { ...bundle, mediaType: 'application/json' },
  'no content': { ...bundle, messageSignature: undefined },
  'no verification material': { ...bundle, verificationMaterial: undefined },
  'no signature': withMessage(bundle, { signature: '' }),
  'a signature that is an object': withMessage(bundle, { signature: {} }),
  'no digest': withMessage(bundle, { messageDigest: undefined }),
  'log entries that are numbers': { ...bundle, verificationMaterial: { publicKey: {}, tlogEntries: [1] } },
  'the old form of cosign': { base64Signature: 'AAAA' },
  null: null,
})) {
  test(`refuses a bundle that is ${name}`, () => {
    refuse(value);
  });
}

test('refuses what is not JSON', () => {
  for (const text of ['', '{', 'MEUCIQ==', '\u0000']) {
    assert.throws(() => createBlobVerifier(Buffer.from(text), policyOf(owner.publicKey)), {
      code: 'DT_SIGNATURE_INVALID',
    });
  }
});

test('refuses more than 32 MiB and more than 32 log entries', () => {
  const { publicKey } = owner;
  assert.throws(() => createBlobVerifier(Buffer.alloc(32 * 1024 * 1024 + 1, ' '), policyOf(publicKey)), {
    code: 'DT_LIMIT_EXCEEDED',
  });
  const entry = {
    logId: { keyId: '' },
    kindVersion: { kind: 'dsse', version: '0.0.1' },
    inclusionProof: { checkpoint: { envelope: '' } },
  };
  const material = { publicKey: { hint: '' }, tlogEntries: Array.from({ length: 33 }, () => entry) };
  assert.throws(() => createBlobVerifier(toJson({ ...bundle, verificationMaterial: material }), policyOf(publicKey)), {
    code: 'DT_LIMIT_EXCEEDED',
  });
});

function signFile(file: Buffer, key: KeyObject): Buffer {
  const signer = createBlobSigner(key);
  for (const byte of file) signer.update(Buffer.of(byte));
  return signer.finish();
}

/** A bundle whose digest and signature are made with another hash. */
function signWith(algorithm: string | undefined, hash: string, key: KeyObject): Buffer {
  const digest = createHash(hash).update(FILE).digest('base64');
  const signature = sign(hash, FILE, key).toString('base64');
  return toJson(withMessage(createMessageBundle(FILE, key), { messageDigest: { algorithm, digest }, signature }));
}

function verifyFile(bundleBytes: Buffer, file: Buffer, key: KeyObject): VerifiedSignature {
  const verifier = createBlobVerifier(bundleBytes, policyOf(key));
  const middle = Math.floor(file.length / 2);
  for (const chunk of [file.subarray(0, middle), file.subarray(middle)]) verifier.update(chunk);
  return verifier.finish();
}

function refuse(value: unknown, key: KeyObject = owner.publicKey): void {
  assert.throws(() => verifyFile(toJson(value), FILE, key), { code: 'DT_SIGNATURE_INVALID' });
}

function readBundle(bytes: Buffer): MessageBundle {
  return JSON.parse(bytes.toString()) as MessageBundle;
}

function withMessage(value: object, changes: object): object {
  return { ...value, messageSignature: { ...(value as MessageBundle).messageSignature, ...changes } };
}

function policyOf(key: KeyObject): { kind: 'key'; key: KeyObject } {
  return { kind: 'key', key };
}

function flipBit(bytes: Buffer, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}
