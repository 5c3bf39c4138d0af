import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { digestOf } from '../../src/domain/oci/digest.ts';
import { MEDIA_TYPE_OCI_CONFIG, MEDIA_TYPE_OCI_MANIFEST } from '../../src/domain/oci/media-types.ts';
import { createBlobVerifier } from '../../src/trust/blob-verifier.ts';
import { readTrustedRoot } from '../../src/trust/read-trusted-root.ts';
import type { IdentityPolicy, VerifiedSignature } from '../../src/trust/trust-policy.ts';
import { verifyDsseLayer } from '../../src/trust/verify-dsse-layer.ts';
import { verifyImageBundle } from '../../src/trust/verify-image-bundle.ts';
import { MEDIA_TYPE_SIMPLE_SIGNING, verifySimpleSigning } from '../../src/trust/verify-simple-signing.ts';
import { createCosign } from '../support/cosign.ts';
import { pushBlob, pushImage, pushManifest } from '../support/images.ts';
import { startEmbeddedRegistry } from '../support/registries.ts';
import {
  createEnvelope,
  createMessageBundle,
  createSimplePayload,
  createStatement,
  createStatementBundle,
  toJson,
} from '../support/signatures.ts';
import {
  createTestSigstore,
  describeLog,
  type EntryOptions,
  type TestLogEntry,
  type TestSigner,
} from '../support/test-sigstore.ts';

const FILE = Buffer.from('the bytes of a wrap');
const IMAGE = digestOf('an image');
const OTHER_IMAGE = digestOf('another image');
const IDENTITY = 'release@example.test';
const ISSUER = 'https://accounts.example.test';
const DAY_MS = 24 * 60 * 60 * 1000;
const SIGNATURE = 'dev.cosignproject.cosign/signature';
const CERTIFICATE = 'dev.sigstore.cosign/certificate';
const LOG_ENTRY = 'dev.sigstore.cosign/bundle';
const EXPECTED_SIGNER = { kind: 'identity', identity: IDENTITY, issuer: ISSUER };

const sigstore = await createTestSigstore({ after });
const stranger = await createTestSigstore({ after });
const signer = await sigstore.issue(IDENTITY);

/** The four forms of signatures, each with what it takes to make and check one. */
const FORMS = {
  'file bundle': (how: How = {}) => verifyFile(toJson(createFileBundle(how)), FILE, how.policy),
  'image bundle': (how: How = {}) => verifyImageBundle(toJson(createImageBundle(how)), IMAGE, policy(how.policy)),
  'classic signature': ({ policy: changes, ...how }: How = {}) => {
    const payload = createSimplePayload(IMAGE);
    return verifySimpleSigning(payload, annotate(payload, how), IMAGE, policy(changes));
  },
  'classic attestation': ({ by = signer, policy: changes, ...how }: How = {}) => {
    const envelope = createEnvelope(createStatement(IMAGE), by.key);
    const annotations = { [CERTIFICATE]: by.certificate.toString(), ...logEnvelope(envelope, { by, ...how }) };
    return verifyDsseLayer(toJson(envelope), annotations, IMAGE, policy(changes));
  },
};

interface How {
  readonly by?: TestSigner;
  /** Undefined: as always. Null: no entry in a log. */
  readonly log?: typeof sigstore | null;
  readonly entry?: EntryOptions;
  readonly policy?: PolicyChanges;
}

interface PolicyChanges {
  readonly certificateIdentity?: string;
  /** Null: none is asked for. */
  readonly certificateOidcIssuer?: string | null;
  readonly trustedRoot?: IdentityPolicy['trustedRoot'];
}

for (const [form, verify] of Object.entries(FORMS)) {
  test(`${form}: a certificate of the authority and an entry in the log suffice`, () => {
    assert.deepEqual(verify().signer, EXPECTED_SIGNER);
  });

  test(`${form}: the provider need not be named`, () => {
    const { certificateOidcIssuer: _, ...rest } = policy();
    assert.deepEqual(verify({ policy: { ...rest, certificateIdentity: IDENTITY } }).signer, EXPECTED_SIGNER);
  });

  for (const certificateIdentity of ['another@example.test', '.*', 'release', `${IDENTITY}.evil.test`, '']) {
    test(`${form}: the name "${certificateIdentity}" is another one`, () => {
      refuse(() => verify({ policy: { certificateIdentity } }));
    });
  }

  test(`${form}: another provider is refused`, () => {
    refuse(() => verify({ policy: { certificateOidcIssuer: 'https://accounts.evil.test' } }));
  });

  test(`${form}: a certificate of another authority is refused`, async () => {
    const by = await stranger.issue(IDENTITY);
    refuse(() => verify({ by }));
  });

  test(`${form}: a certificate for web servers is refused`, async () => {
    const by = await sigstore.issue(IDENTITY, { extendedKeyUsage: 'serverAuth' });
    refuse(() => verify({ by }));
  });

  test(`${form}: the certificate of an authority below the root is refused`, async () => {
    const by = await sigstore.issue(IDENTITY, { isAuthority: true });
    refuse(() => verify({ by }));
  });

  test(`${form}: a certificate with a key of another curve is refused`, async () => {
    const by = await sigstore.issue(IDENTITY, { curve: 'secp256k1' });
    refuse(() => verify({ by }));
  });

  test(`${form}: a signature from after the certificate's time is refused`, () => {
    refuse(() => verify({ entry: { time: new Date(Date.now() + 2 * DAY_MS) } }));
  });

  test(`${form}: a signature from before the log's time is refused`, () => {
    refuse(() => verify({ entry: { time: new Date(Date.now() - 2 * DAY_MS) } }));
  });

  test(`${form}: a signature without an entry in the log is refused`, () => {
    refuse(() => verify({ log: null }));
  });

  test(`${form}: an entry in another log is refused`, () => {
    refuse(() => verify({ log: stranger }));
  });

  test(`${form}: where the root names a certificate log, the certificate must be in it`, () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const ctlogs = [describeLog(publicKey, 'https://ct.example.test', new Date(0).toISOString())];
    refuse(() => verify({ policy: { trustedRoot: readTrustedRoot(sigstore.trustedRoot({ ctlogs }), 'root') } }));
  });

  test(`${form}: where the root names no log at all, nothing tells the time of signing`, () => {
    refuse(() => verify({ policy: { trustedRoot: readTrustedRoot(sigstore.trustedRoot({ tlogs: [] }), 'root') } }));
  });

  test(`${form}: a signature by a key that is not the certificate's is refused`, () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    refuse(() => verify({ by: { certificate: signer.certificate, key: privateKey } }));
  });
}

test('another file is refused', () => {
  refuse(() => verifyFile(toJson(createFileBundle()), Buffer.from('another file')));
});

test('a valid signature that was copied from another image is refused, in every form', () => {
  refuse(() => verifyImageBundle(toJson(createImageBundle()), OTHER_IMAGE, policy()));
  const payload = createSimplePayload(IMAGE);
  refuse(() => verifySimpleSigning(payload, annotate(payload), OTHER_IMAGE, policy()));
  const envelope = createEnvelope(createStatement(IMAGE), signer.key);
  const annotations = { [CERTIFICATE]: signer.certificate.toString(), ...logEnvelope(envelope, {}) };
  refuse(() => verifyDsseLayer(toJson(envelope), annotations, OTHER_IMAGE, policy()));
});

test('an entry of the log about another signature, or about something else, is refused', () => {
  const file = createFileBundle();
  const fileSignature = readSignature(file['messageSignature'], 'signature');
  const [fileDigest, strange] = [sha256(FILE), signBytes(Buffer.from('another'), signer.key)];
  const withFileEntry = (entry: TestLogEntry): Buffer => toJson(withEntries(file, [entry.bundleEntry]));
  assert.ok(verifyFile(withFileEntry(sigstore.log(signer, fileSignature, { digest: fileDigest })), FILE));
  refuse(() => verifyFile(withFileEntry(sigstore.log(signer, strange, { digest: fileDigest })), FILE));
  refuse(() => verifyFile(withFileEntry(sigstore.log(signer, fileSignature, { digest: sha256(strange) })), FILE));

  const image = createImageBundle();
  const imageSignature = readEnvelopeSignature(image);
  const payload = createStatement(IMAGE);
  const verifyImage = (entry: TestLogEntry): VerifiedSignature =>
    verifyImageBundle(toJson(withEntries(image, [entry.bundleEntry])), IMAGE, policy());
  assert.ok(verifyImage(sigstore.log(signer, imageSignature, { payload })));
  refuse(() => verifyImage(sigstore.log(signer, strange, { payload })));
  refuse(() => verifyImage(sigstore.log(signer, imageSignature, { payload: createStatement(OTHER_IMAGE) })));

  const simple = createSimplePayload(IMAGE);
  const annotations = annotate(simple);
  const simpleSignature = readSignature(annotations, SIGNATURE);
  const verifySimple = (entry: TestLogEntry): VerifiedSignature =>
    verifySimpleSigning(simple, { ...annotations, [LOG_ENTRY]: entry.annotation }, IMAGE, policy());
  assert.ok(verifySimple(sigstore.log(signer, simpleSignature, { digest: sha256(simple) })));
  refuse(() => verifySimple(sigstore.log(signer, strange, { digest: sha256(simple) })));
  refuse(() => verifySimple(sigstore.log(signer, simpleSignature, { digest: sha256(strange) })));
});

test('a time that was changed in the log entry is refused', () => {
  const payload = createSimplePayload(IMAGE);
  const annotations = annotate(payload, { entry: { time: new Date(Date.now() + 2 * DAY_MS) } });
  const entry = JSON.parse(annotations[LOG_ENTRY] ?? '') as { Payload: object };
  const integratedTime = Math.floor(Date.now() / 1000);
  const changed = JSON.stringify({ ...entry, Payload: { ...entry.Payload, integratedTime } });
  refuse(() => verifySimpleSigning(payload, { ...annotations, [LOG_ENTRY]: changed }, IMAGE, policy()));
});

for (const [name, text] of Object.entries({
  'not JSON': '{',
  'a list': '[]',
  'without a payload': '{"SignedEntryTimestamp":"AAAA"}',
  'with another body':
    '{"SignedEntryTimestamp":"AAAA","Payload":{"body":"AAAA","integratedTime":1,"logIndex":0,"logID":"00"}}',
  'with a fraction as time':
    '{"SignedEntryTimestamp":"AAAA","Payload":{"body":"e30=","integratedTime":1.5,"logIndex":0,"logID":"00"}}',
  'of no kind':
    '{"SignedEntryTimestamp":"AAAA","Payload":{"body":"e30=","integratedTime":1,"logIndex":0,"logID":"00"}}',
})) {
  test(`a classic log entry that is ${name} is refused`, () => {
    const payload = createSimplePayload(IMAGE);
    refuse(() => verifySimpleSigning(payload, { ...annotate(payload), [LOG_ENTRY]: text }, IMAGE, policy()));
  });
}

test('a certificate or time stamp that cannot be read is refused', () => {
  const payload = createSimplePayload(IMAGE);
  for (const annotation of [
    { [CERTIFICATE]: 'AAAA' },
    { 'dev.sigstore.cosign/rfc3161timestamp': '{"SignedRFC3161Timestamp":"AAAA"}' },
  ]) {
    refuse(() => verifySimpleSigning(payload, { ...annotate(payload), ...annotation }, IMAGE, policy()));
  }
});

test('a signature made with a bare key has no name', () => {
  refuse(() => verifyFile(toJson(createMessageBundle(FILE, signer.key)), FILE));
  refuse(() => verifyImageBundle(toJson(createStatementBundle(IMAGE, signer.key)), IMAGE, policy()));
  const payload = createSimplePayload(IMAGE);
  const annotations = { [SIGNATURE]: annotate(payload)[SIGNATURE] ?? '' };
  refuse(() => verifySimpleSigning(payload, annotations, IMAGE, policy()));
});

test('where the root names no transparency log, a time stamp suffices, in every form', async () => {
  const changes = { trustedRoot: readTrustedRoot(sigstore.trustedRoot({ tlogs: [] }), 'root') };
  const unlogged = { log: null };
  const [file, image] = [createFileBundle(unlogged), createImageBundle(unlogged)];
  const fileStamp = await sigstore.stamp(readSignature(file['messageSignature'], 'signature'));
  assert.equal(verifyFile(toJson(withStamp(file, fileStamp)), FILE, changes).kind, 'signature');
  const imageStamp = await sigstore.stamp(readEnvelopeSignature(image));
  assert.equal(verifyImageBundle(toJson(withStamp(image, imageStamp)), IMAGE, policy(changes)).kind, 'signature');
  refuse(() => verifyFile(toJson(withStamp(file, imageStamp)), FILE, changes));
  refuse(() => verifyImageBundle(toJson(withStamp(image, fileStamp)), IMAGE, policy(changes)));

  const payload = createSimplePayload(IMAGE);
  const annotations = annotate(payload, unlogged);
  const classicStamp = await sigstore.stamp(Buffer.from(annotations[SIGNATURE] ?? '', 'base64'));
  const stamped = (stamp: Buffer): Record<string, string> => ({ ...annotations, ...annotateStamp(stamp) });
  assert.equal(verifySimpleSigning(payload, stamped(classicStamp), IMAGE, policy(changes)).kind, 'signature');
  refuse(() => verifySimpleSigning(payload, stamped(fileStamp), IMAGE, policy(changes)));

  const envelope = toJson(createEnvelope(createStatement(IMAGE), signer.key));
  const certificate = { [CERTIFICATE]: signer.certificate.toString() };
  const attested = { ...certificate, ...annotateStamp(await sigstore.stamp(envelope)) };
  assert.equal(verifyDsseLayer(envelope, attested, IMAGE, policy(changes)).kind, 'signature');
  refuse(() => verifyDsseLayer(envelope, { ...certificate, ...annotateStamp(fileStamp) }, IMAGE, policy(changes)));
});

test('where the root names a transparency log, a time stamp does not replace it', async () => {
  const file = createFileBundle({ log: null });
  const stamp = await sigstore.stamp(readSignature(file['messageSignature'], 'signature'));
  refuse(() => verifyFile(toJson(withStamp(file, stamp)), FILE));
});

test('the time in a log entry counts only with the promise of the log', async () => {
  const file = createFileBundle();
  const signature = readSignature(file['messageSignature'], 'signature');
  const { inclusionPromise: _, ...proven } = sigstore.log(signer, signature, { digest: sha256(FILE) }).bundleEntry;
  refuse(() => verifyFile(toJson(withEntries(file, [proven])), FILE));
  const stamped = withStamp(file, await sigstore.stamp(signature));
  assert.equal(verifyFile(toJson(withEntries(stamped, [proven])), FILE).kind, 'signature');
});

test('the same log entry twice is refused', () => {
  const file = createFileBundle();
  const signature = readSignature(file['messageSignature'], 'signature');
  const { bundleEntry } = sigstore.log(signer, signature, { digest: sha256(FILE) });
  refuse(() => verifyFile(toJson(withEntries(file, [bundleEntry, bundleEntry])), FILE));
});

test('a time stamp of another authority is refused', async () => {
  const file = createFileBundle({ log: null });
  const stamp = await stranger.stamp(readSignature(file['messageSignature'], 'signature'));
  const trustedRoot = readTrustedRoot(sigstore.trustedRoot({ tlogs: [] }), 'root');
  refuse(() => verifyFile(toJson(withStamp(file, stamp)), FILE, { trustedRoot }));
});

test('more than 32 time stamps are too many', async () => {
  const stamp = (await sigstore.stamp(FILE)).toString('base64');
  const file = createFileBundle();
  const rfc3161Timestamps = Array.from({ length: 33 }, () => ({ signedTimestamp: stamp }));
  const material = { ...(file['verificationMaterial'] as object), timestampVerificationData: { rfc3161Timestamps } };
  assert.throws(() => verifyFile(toJson({ ...file, verificationMaterial: material }), FILE), {
    code: 'DT_LIMIT_EXCEEDED',
  });
});

test('cosign takes the same signatures, so this authority is like the real one', async (t) => {
  const cosign = await createCosign(t);
  if (cosign === undefined) return;
  const path = (name: string): string => join(cosign.folder, name);
  await writeFile(path('file'), FILE);
  await writeFile(path('bundle.json'), toJson(createFileBundle()));
  await writeFile(path('root.json'), sigstore.trustedRoot());
  const registry = await startEmbeddedRegistry();
  t.after(async () => registry.close());
  const { digest } = await pushImage(registry.host, 'app:1');
  const payload = createSimplePayload(digest);
  await pushLayer(registry.host, `${digest.replace(':', '-')}.sig`, payload, annotate(payload));
  const image = `${registry.host}/app@${digest}`;
  const expectCode = async (args: readonly string[], identity: string, isGood: boolean): Promise<void> => {
    const who = ['--certificate-identity', identity, '--certificate-oidc-issuer', ISSUER];
    const trust = ['--trusted-root', path('root.json'), '--insecure-ignore-sct'];
    const { code, stderr } = await cosign.run([...args, ...who, ...trust]);
    assert.equal(code === 0, isGood, stderr);
  };
  for (const args of [
    ['verify-blob', path('file'), '--bundle', path('bundle.json')],
    ['verify', image, '--new-bundle-format=false', '--allow-http-registry'],
  ]) {
    await expectCode(args, IDENTITY, true);
    await expectCode(args, 'another@example.test', false);
  }
});

/** Pushes a manifest with this layer to the repository `app`. */
async function pushLayer(host: string, tag: string, bytes: Buffer, annotations: Record<string, string>): Promise<void> {
  const config = toJson({
    architecture: '',
    os: '',
    config: {},
    rootfs: { type: 'layers', diff_ids: [digestOf(bytes)] },
  });
  const manifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPE_OCI_MANIFEST,
    config: await pushBlob(host, 'app', config, MEDIA_TYPE_OCI_CONFIG),
    layers: [{ ...(await pushBlob(host, 'app', bytes, MEDIA_TYPE_SIMPLE_SIGNING)), annotations }],
  };
  await pushManifest(host, 'app', tag, toJson(manifest), MEDIA_TYPE_OCI_MANIFEST);
}

function readSignature(holder: unknown, name: string): Buffer {
  return Buffer.from((holder as Record<string, string>)[name] ?? '', 'base64');
}

function readEnvelopeSignature(bundle: Record<string, unknown>): Buffer {
  return readSignature((bundle['dsseEnvelope'] as ReturnType<typeof createEnvelope>).signatures[0], 'sig');
}

function withEntries(bundle: Record<string, unknown>, tlogEntries: readonly unknown[]): Record<string, unknown> {
  const material = bundle['verificationMaterial'] as object;
  return { ...bundle, verificationMaterial: { ...material, tlogEntries } };
}

function withStamp(bundle: Record<string, unknown>, stamp: Buffer): Record<string, unknown> {
  const { verificationMaterial } = createMessageBundle(FILE, signer.key, {
    certificate: signer.certificate.raw,
    timestamps: [stamp],
  });
  return { ...bundle, verificationMaterial };
}

function annotateStamp(stamp: Buffer): Record<string, string> {
  const text = JSON.stringify({ SignedRFC3161Timestamp: stamp.toString('base64') });
  return { 'dev.sigstore.cosign/rfc3161timestamp': text };
}

function createFileBundle({ by = signer, log = sigstore, entry }: How = {}, file = FILE): Record<string, unknown> {
  const bundle = createMessageBundle(file, by.key) as { messageSignature: { signature: string } };
  const signature = Buffer.from(bundle.messageSignature.signature, 'base64');
  const logged = log?.log(by, signature, { digest: sha256(file) }, entry);
  const parts = { certificate: by.certificate.raw, ...(logged && { tlogEntries: [logged.bundleEntry] }) };
  return { ...createMessageBundle(file, by.key, parts), messageSignature: bundle.messageSignature };
}

function createImageBundle({ by = signer, log = sigstore, entry }: How = {}): Record<string, unknown> {
  const payload = createStatement(IMAGE);
  const dsseEnvelope = createEnvelope(payload, by.key);
  const signature = Buffer.from(dsseEnvelope.signatures[0]?.sig ?? '', 'base64');
  const logged = log?.log(by, signature, { payload }, entry);
  const parts = { certificate: by.certificate.raw, ...(logged && { tlogEntries: [logged.bundleEntry] }) };
  return { ...createStatementBundle(IMAGE, by.key, parts), dsseEnvelope };
}

function annotate(payload: Buffer, { by = signer, log = sigstore, entry }: How = {}): Record<string, string> {
  const signature = signBytes(payload, by.key);
  const logged = log?.log(by, signature, { digest: sha256(payload) }, entry);
  return {
    [SIGNATURE]: signature.toString('base64'),
    [CERTIFICATE]: by.certificate.toString(),
    ...(logged && { [LOG_ENTRY]: logged.annotation }),
  };
}

function logEnvelope(
  envelope: ReturnType<typeof createEnvelope>,
  { by = signer, log = sigstore, entry }: How,
): Record<string, string> {
  const signature = Buffer.from(envelope.signatures[0]?.sig ?? '', 'base64');
  const logged = log?.log(by, signature, { payload: Buffer.from(envelope.payload, 'base64') }, entry);
  return logged === undefined ? {} : { [LOG_ENTRY]: logged.annotation };
}

function verifyFile(bundle: Buffer, file: Buffer, changes?: PolicyChanges): VerifiedSignature {
  const verifier = createBlobVerifier(bundle, policy(changes));
  verifier.update(file);
  return verifier.finish();
}

function policy({ certificateOidcIssuer = ISSUER, ...changes }: PolicyChanges = {}): IdentityPolicy {
  return {
    kind: 'identity',
    certificateIdentity: IDENTITY,
    trustedRoot: readTrustedRoot(sigstore.trustedRoot(), 'trusted_root.json'),
    ...changes,
    ...(certificateOidcIssuer === null ? {} : { certificateOidcIssuer }),
  };
}

function refuse(verify: () => unknown): void {
  assert.throws(verify, { code: 'DT_SIGNATURE_INVALID' });
}

function signBytes(bytes: Buffer, key: KeyObject): Buffer {
  return sign('sha256', bytes, key);
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
