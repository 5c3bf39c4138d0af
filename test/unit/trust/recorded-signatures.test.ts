import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Digest } from '../../../src/domain/oci/digest.ts';
import { createBlobVerifier } from '../../../src/trust/blob-verifier.ts';
import { readPublicKey } from '../../../src/trust/read-key.ts';
import { readTrustedRoot } from '../../../src/trust/read-trusted-root.ts';
import type { IdentityPolicy, KeyPolicy } from '../../../src/trust/trust-policy.ts';
import { verifyDsseLayer } from '../../../src/trust/verify-dsse-layer.ts';
import { verifyImageBundle } from '../../../src/trust/verify-image-bundle.ts';
import { verifySimpleSigning } from '../../../src/trust/verify-simple-signing.ts';
import { readCosignRecord, readRecorded } from '../../support/recorded-signatures.ts';
import { toJson } from '../../support/signatures.ts';

const cosign = readCosignRecord();
const ATTESTATION = 'https://cosign.sigstore.dev/attestation/v1';
const policy: KeyPolicy = { kind: 'key', key: readPublicKey(cosign.publicKey, 'cosign.pub') };

test('the signature of a file by cosign 3', () => {
  const verifier = createBlobVerifier(Buffer.from(cosign.fileBundle), policy);
  verifier.update(Buffer.from(cosign.file));
  assert.equal(verifier.finish().kind, 'signature');
});

test('signature and attestation of an image by cosign 3', () => {
  const { kind } = verifyImageBundle(Buffer.from(cosign.signatureBundle), cosign.image, policy);
  const attestation = verifyImageBundle(Buffer.from(cosign.attestationBundle), cosign.image, policy);
  assert.deepEqual([kind, attestation.kind, attestation.predicateType], ['signature', 'attestation', ATTESTATION]);
});

test('signature and attestation of an image in the classic form', () => {
  const { simpleSigning, dsseLayer, image } = cosign;
  const { kind } = verifySimpleSigning(Buffer.from(simpleSigning.payload), simpleSigning.annotations, image, policy);
  const attestation = verifyDsseLayer(Buffer.from(dsseLayer.envelope), dsseLayer.annotations, image, policy);
  assert.deepEqual([kind, attestation.kind, attestation.predicateType], ['signature', 'attestation', ATTESTATION]);
});

/** The provenance of the npm package sigstore 2.0.0, and the root of the public Sigstore. */
const provenance = readRecorded('npm-sigstore-2.0.0.sigstore.json');
const trustedRoot = readRecorded('trusted-root.json');
const IDENTITY = 'https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main';
const ISSUER = 'https://token.actions.githubusercontent.com';
const PACKAGE =
  'sha512:46d4e2f74c4877316640000a6fdf8a8b59f1e0847667973e9859f774dd31b8f1e0937813b777fb66a2ac67d50540fe34640966eee9fc2ccca387082b4c85cd3c' as Digest;

test('a signature of the public Sigstore, with certificate log and transparency log', () => {
  assert.deepEqual(verifyImageBundle(provenance, PACKAGE, trust()), {
    kind: 'attestation',
    predicateType: 'https://slsa.dev/provenance/v1',
    signer: { kind: 'identity', identity: IDENTITY, issuer: ISSUER },
  });
});

for (const [name, changes] of Object.entries({
  'another name': { certificateIdentity: `${IDENTITY}x` },
  'a regular expression that fits the name': { certificateIdentity: '.*' },
  'a part of the name': { certificateIdentity: 'https://github.com/sigstore/sigstore-js/' },
  'another provider': { certificateOidcIssuer: 'https://accounts.google.com' },
})) {
  test(`the public signature does not pass for ${name}`, () => {
    refuse(provenance, { ...trust(), ...changes });
  });
}

for (const part of ['tlogs', 'ctlogs', 'certificateAuthorities'] as const) {
  test(`the public signature does not pass where ${part} of the root are others`, () => {
    const root = JSON.parse(trustedRoot.toString()) as Record<string, readonly LogDocument[]>;
    const changed = (root[part] ?? []).map((log) => ({ ...log, ...changeTime(log) }));
    refuse(provenance, trust(toJson({ ...root, [part]: changed })));
  });
}

test('the public signature needs its log entry', () => {
  const bundle = JSON.parse(provenance.toString()) as { verificationMaterial: object };
  refuse(toJson({ ...bundle, verificationMaterial: { ...bundle.verificationMaterial, tlogEntries: [] } }), trust());
});

interface LogDocument {
  readonly publicKey?: object;
}

/** What the log or authority vouches for ended long before the signature was made. */
function changeTime(log: LogDocument): object {
  const validFor = { start: '2001-01-01T00:00:00Z', end: '2002-01-01T00:00:00Z' };
  return log.publicKey === undefined ? { validFor } : { publicKey: { ...log.publicKey, validFor } };
}

function refuse(bundle: Buffer, identityPolicy: IdentityPolicy): void {
  assert.throws(() => verifyImageBundle(bundle, PACKAGE, identityPolicy), { code: 'DT_SIGNATURE_INVALID' });
}

function trust(root = trustedRoot): IdentityPolicy {
  return {
    kind: 'identity',
    certificateIdentity: IDENTITY,
    certificateOidcIssuer: ISSUER,
    trustedRoot: readTrustedRoot(root, 'trusted_root.json'),
  };
}
